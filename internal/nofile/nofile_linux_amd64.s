#include "textflag.h"

// func getLimit(limit *[2]uint64) (errno uintptr)
TEXT ·getLimit(SB),NOSPLIT,$0-16
	MOVQ	limit+0(FP), R10
	MOVQ	$0, DI
	MOVQ	$7, SI	// RLIMIT_NOFILE
	MOVQ	$0, DX
	MOVQ	$302, AX	// prlimit64
	SYSCALL
	MOVQ	AX, errno+8(FP)
	RET

#include "textflag.h"

// See forker_linux.go, which has the layout of ring, request and call.

#define ring_taken	4
#define ring_after	8
#define ring_slots	16
#define request_failed	0
#define request_unborn	8
#define request_first	16
#define call_mode	0
#define call_number	8
#define call_args	16
#define call_want	64
#define call_size	72

// func startThread(flags uintptr, r *ring) (tid uintptr)
//
// Neither the thread nor what it forks uses a stack. It never ends, and has all
// signals blocked.
//
// R15 is the ring, R13 the request that has not been told what became of it, 0 if
// none, R14 not 0 in a child, R12 the call to make.
TEXT ·startThread(SB),NOSPLIT,$0-24
	MOVQ	flags+0(FP), DI
	MOVQ	r+8(FP), R15
	XORL	SI, SI
	XORL	DX, DX
	XORL	R10, R10
	XORL	R8, R8
	MOVQ	$56, AX	// clone
	SYSCALL
	TESTQ	AX, AX
	JZ	idle
	MOVQ	AX, tid+16(FP)
	RET

idle:	// take the next request, or sleep until there is one
	MOVL	ring_taken(R15), DX
	MOVL	0(R15), AX
	CMPL	AX, DX
	JNE	take
	MOVQ	R15, DI
	MOVQ	$128, SI	// FUTEX_WAIT_PRIVATE
	XORL	R10, R10
	MOVQ	$202, AX	// futex
	SYSCALL
	JMP	idle
take:
	MOVL	DX, CX
	ANDL	$63, CX
	MOVQ	ring_slots(R15)(CX*8), R13
	MOVQ	request_first(R13), R12
	XORL	R14, R14

call:	// make the call at R12
	MOVQ	call_number(R12), AX
	CMPQ	AX, $-1
	JEQ	end
	MOVQ	call_args+0(R12), DI
	MOVQ	call_args+8(R12), SI
	MOVQ	call_args+16(R12), DX
	MOVQ	call_args+24(R12), R10
	MOVQ	call_args+32(R12), R8
	MOVQ	call_args+40(R12), R9
	SYSCALL
	MOVQ	call_mode(R12), CX
	CMPQ	CX, $1	// may fail
	JEQ	next
	CMPQ	AX, $0xfffffffffffff001
	JCC	fail
	CMPQ	CX, $2	// must answer
	JEQ	compare
	CMPQ	CX, $3	// forks
	JNE	next
	TESTQ	AX, AX
	JNZ	forked
	MOVQ	$1, R14
	MOVQ	call_want(R12), R12
	JMP	call
compare:
	CMPQ	AX, call_want(R12)
	JEQ	next
	MOVQ	$-3, AX	// ESRCH
	JMP	fail
next:
	ADDQ	$call_size, R12
	JMP	call

fail:
	NEGQ	AX
	MOVQ	AX, request_failed(R13)
	TESTQ	R14, R14
	JZ	tell
	MOVQ	$127, DI
	MOVQ	$231, AX	// exit_group
	SYSCALL
	INT	$3

end:	// of a script without a fork, or of what is done after each
	TESTQ	R13, R13
	JZ	idle
tell:
	MOVL	$0, request_unborn(R13)
	LEAQ	request_unborn(R13), DI
	MOVQ	$1, SI	// FUTEX_WAKE
	MOVQ	$1, DX
	MOVQ	$202, AX	// futex
	SYSCALL
forked:	// the request may be gone as soon as its child is born
	XORL	R13, R13
	ADDL	$1, ring_taken(R15)
	MOVQ	ring_after(R15), R12
	JMP	call

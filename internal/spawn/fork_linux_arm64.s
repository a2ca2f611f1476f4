#include "textflag.h"

// See forker_linux.go, which has the layout of ring, request and call, and
// fork_linux_amd64.s, which this follows label by label.

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
// R19 is the ring, R20 the request that has not been told what became of it, 0 if
// none, R21 not 0 in a child, R22 the call to make.
TEXT ·startThread(SB),NOSPLIT,$0-24
	MOVD	flags+0(FP), R0
	MOVD	r+8(FP), R19
	MOVD	$0, R1
	MOVD	$0, R2
	MOVD	$0, R3
	MOVD	$0, R4
	MOVD	$220, R8	// clone
	SVC
	CBZ	R0, idle
	MOVD	R0, tid+16(FP)
	RET

idle:
	MOVWU	ring_taken(R19), R2
	LDARW	(R19), R0
	CMPW	R0, R2
	BNE	take
	MOVD	R19, R0
	MOVD	$128, R1	// FUTEX_WAIT_PRIVATE
	MOVD	$0, R3
	MOVD	$98, R8	// futex
	SVC
	B	idle
take:
	AND	$63, R2, R3
	ADD	$ring_slots, R19, R4
	MOVD	(R4)(R3<<3), R20
	MOVD	request_first(R20), R22
	MOVD	$0, R21

call:
	MOVD	call_number(R22), R8
	CMN	$1, R8
	BEQ	end
	MOVD	(call_args+0)(R22), R0
	MOVD	(call_args+8)(R22), R1
	MOVD	(call_args+16)(R22), R2
	MOVD	(call_args+24)(R22), R3
	MOVD	(call_args+32)(R22), R4
	MOVD	(call_args+40)(R22), R5
	SVC
	MOVD	call_mode(R22), R9
	CMP	$1, R9	// may fail
	BEQ	next
	CMN	$4095, R0
	BCS	fail
	CMP	$2, R9	// must answer
	BEQ	compare
	CMP	$3, R9	// forks
	BNE	next
	CBNZ	R0, forked
	MOVD	$1, R21
	MOVD	call_want(R22), R22
	B	call
compare:
	MOVD	call_want(R22), R10
	CMP	R10, R0
	BEQ	next
	MOVD	$-3, R0	// ESRCH
	B	fail
next:
	ADD	$call_size, R22
	B	call

fail:
	NEG	R0, R0
	MOVD	R0, request_failed(R20)
	CBZ	R21, tell
	MOVD	$127, R0
	MOVD	$94, R8	// exit_group
	SVC
	BRK

end:
	CBZ	R20, idle
tell:
	ADD	$request_unborn, R20, R0
	STLRW	ZR, (R0)
	MOVD	$1, R1	// FUTEX_WAKE
	MOVD	$1, R2
	MOVD	$98, R8	// futex
	SVC
forked:
	MOVD	$0, R20
	MOVWU	ring_taken(R19), R2
	ADD	$1, R2
	ADD	$ring_taken, R19, R3
	STLRW	R2, (R3)
	MOVD	ring_after(R19), R22
	B	call

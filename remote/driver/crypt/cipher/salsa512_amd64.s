#include "textflag.h"

// As xorGroups in salsa_amd64.s, by registers that hold a vector of four blocks: four times four
// blocks are computed at a time.

DATA ·lanes+0(SB)/8, $0
DATA ·lanes+8(SB)/8, $0
DATA ·lanes+16(SB)/8, $1
DATA ·lanes+24(SB)/8, $0
DATA ·lanes+32(SB)/8, $2
DATA ·lanes+40(SB)/8, $0
DATA ·lanes+48(SB)/8, $3
DATA ·lanes+56(SB)/8, $0
GLOBL ·lanes(SB), RODATA|NOPTR, $64

DATA ·four+0(SB)/8, $4
DATA ·four+8(SB)/8, $0
GLOBL ·four(SB), RODATA|NOPTR, $16

// x ^= (a + b) <<< n
#define STEP(x, a, b, n, t) \
	VPADDD a, b, t  \
	VPROLD n, t, t  \
	VPXORD t, x, x

#define ROUND(A0, B0, C0, D0, A1, B1, C1, D1, A2, B2, C2, D2, A3, B3, C3, D3) \
	STEP(B0, A0, D0, $7, Z16)   \
	STEP(B1, A1, D1, $7, Z17)   \
	STEP(B2, A2, D2, $7, Z18)   \
	STEP(B3, A3, D3, $7, Z19)   \
	STEP(C0, B0, A0, $9, Z20)   \
	STEP(C1, B1, A1, $9, Z21)   \
	STEP(C2, B2, A2, $9, Z22)   \
	STEP(C3, B3, A3, $9, Z23)   \
	STEP(D0, C0, B0, $13, Z16)  \
	STEP(D1, C1, B1, $13, Z17)  \
	STEP(D2, C2, B2, $13, Z18)  \
	STEP(D3, C3, B3, $13, Z19)  \
	VPSHUFD $0x93, B0, B0       \
	VPSHUFD $0x93, B1, B1       \
	VPSHUFD $0x93, B2, B2       \
	VPSHUFD $0x93, B3, B3       \
	STEP(A0, D0, C0, $18, Z20)  \
	STEP(A1, D1, C1, $18, Z21)  \
	STEP(A2, D2, C2, $18, Z22)  \
	STEP(A3, D3, C3, $18, Z23)  \
	VPSHUFD $0x4E, C0, C0       \
	VPSHUFD $0x4E, C1, C1       \
	VPSHUFD $0x4E, C2, C2       \
	VPSHUFD $0x4E, C3, C3       \
	VPSHUFD $0x39, D0, D0       \
	VPSHUFD $0x39, D1, D1       \
	VPSHUFD $0x39, D2, D2       \
	VPSHUFD $0x39, D3, D3

// Puts the words of four blocks in order and adds them to 256 bytes by exclusive or.
#define OUTPUT(A, B, C, D, off) \
	VPBLENDMD  D, A, K1, Z16         \
	VPBLENDMD  B, C, K1, Z17         \
	VPBLENDMD  A, B, K1, Z18         \
	VPBLENDMD  C, D, K1, Z19         \
	VPBLENDMD  Z17, Z16, K2, A       \
	VPBLENDMD  Z19, Z18, K2, B       \
	VPBLENDMD  Z16, Z17, K2, C       \
	VPBLENDMD  Z18, Z19, K2, D       \
	VSHUFI32X4 $0x44, B, A, Z16      \
	VSHUFI32X4 $0x44, D, C, Z17      \
	VSHUFI32X4 $0xEE, B, A, Z18      \
	VSHUFI32X4 $0xEE, D, C, Z19      \
	VSHUFI32X4 $0x88, Z17, Z16, Z20  \
	VSHUFI32X4 $0xDD, Z17, Z16, Z21  \
	VSHUFI32X4 $0x88, Z19, Z18, Z22  \
	VSHUFI32X4 $0xDD, Z19, Z18, Z23  \
	VPXORD     (off+0)(SI), Z20, Z20    \
	VPXORD     (off+64)(SI), Z21, Z21   \
	VPXORD     (off+128)(SI), Z22, Z22  \
	VPXORD     (off+192)(SI), Z23, Z23  \
	VMOVDQU32  Z20, (off+0)(DI)         \
	VMOVDQU32  Z21, (off+64)(DI)        \
	VMOVDQU32  Z22, (off+128)(DI)       \
	VMOVDQU32  Z23, (off+192)(DI)

// func xorGroups512(dst, src *byte, groups int, state *diagonals)
TEXT ·xorGroups512(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ state+24(FP), DX

	MOVL  $0xAAAA, AX
	KMOVW AX, K1
	MOVL  $0xCCCC, AX
	KMOVW AX, K2

	// The matrix, with four of its C; their counters go on by sixteen.
	VBROADCASTI32X4 0(DX), Z25
	VBROADCASTI32X4 16(DX), Z26
	VBROADCASTI32X4 48(DX), Z27
	VBROADCASTI32X4 ·four(SB), Z24
	VBROADCASTI32X4 32(DX), Z28
	VPADDD          ·lanes(SB), Z28, Z28
	VPADDD          Z24, Z28, Z29
	VPADDD          Z24, Z29, Z30
	VPADDD          Z24, Z30, Z31
	VPADDD          Z24, Z24, Z24
	VPADDD          Z24, Z24, Z24

group:
	VMOVDQA32 Z25, Z0
	VMOVDQA32 Z26, Z1
	VMOVDQA32 Z28, Z2
	VMOVDQA32 Z27, Z3
	VMOVDQA32 Z25, Z4
	VMOVDQA32 Z26, Z5
	VMOVDQA32 Z29, Z6
	VMOVDQA32 Z27, Z7
	VMOVDQA32 Z25, Z8
	VMOVDQA32 Z26, Z9
	VMOVDQA32 Z30, Z10
	VMOVDQA32 Z27, Z11
	VMOVDQA32 Z25, Z12
	VMOVDQA32 Z26, Z13
	VMOVDQA32 Z31, Z14
	VMOVDQA32 Z27, Z15
	MOVQ      $10, AX

rounds:
	ROUND(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ROUND(Z0, Z3, Z2, Z1, Z4, Z7, Z6, Z5, Z8, Z11, Z10, Z9, Z12, Z15, Z14, Z13)
	SUBQ $1, AX
	JNZ  rounds

	VPADDD Z25, Z0, Z0
	VPADDD Z26, Z1, Z1
	VPADDD Z28, Z2, Z2
	VPADDD Z27, Z3, Z3
	VPADDD Z25, Z4, Z4
	VPADDD Z26, Z5, Z5
	VPADDD Z29, Z6, Z6
	VPADDD Z27, Z7, Z7
	VPADDD Z25, Z8, Z8
	VPADDD Z26, Z9, Z9
	VPADDD Z30, Z10, Z10
	VPADDD Z27, Z11, Z11
	VPADDD Z25, Z12, Z12
	VPADDD Z26, Z13, Z13
	VPADDD Z31, Z14, Z14
	VPADDD Z27, Z15, Z15

	OUTPUT(Z0, Z1, Z2, Z3, 0)
	OUTPUT(Z4, Z5, Z6, Z7, 256)
	OUTPUT(Z8, Z9, Z10, Z11, 512)
	OUTPUT(Z12, Z13, Z14, Z15, 768)

	VPADDD Z24, Z28, Z28
	VPADDD Z24, Z29, Z29
	VPADDD Z24, Z30, Z30
	VPADDD Z24, Z31, Z31

	ADDQ $1024, SI
	ADDQ $1024, DI
	SUBQ $1, CX
	JNZ  group
	VZEROUPPER
	RET

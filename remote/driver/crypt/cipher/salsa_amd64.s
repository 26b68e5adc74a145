#include "textflag.h"

// The state of Salsa20 as four vectors, the diagonals of its matrix:
//
//	A = x0 x5 x10 x15    B = x4 x9 x14 x3    C = x8 x13 x2 x7    D = x12 x1 x6 x11
//
// In this form a round of columns and one of rows are the same steps, with B and D exchanged and
// the words of B, C and D turned between them. A register holds a vector of two blocks; three
// pairs of blocks are computed at a time.

DATA ·two+0(SB)/8, $2
DATA ·two+8(SB)/8, $0
DATA ·two+16(SB)/8, $2
DATA ·two+24(SB)/8, $0
GLOBL ·two(SB), RODATA|NOPTR, $32

DATA ·second+0(SB)/8, $0
DATA ·second+8(SB)/8, $0
DATA ·second+16(SB)/8, $1
DATA ·second+24(SB)/8, $0
GLOBL ·second(SB), RODATA|NOPTR, $32

// x ^= (a + b) <<< n, where m is 32 - n
#define STEP(x, a, b, n, m, t, u) \
	VPADDD a, b, t   \
	VPSLLD n, t, u   \
	VPSRLD m, t, t   \
	VPXOR  u, x, x   \
	VPXOR  t, x, x

#define ROUND(A0, B0, C0, D0, A1, B1, C1, D1, A2, B2, C2, D2) \
	STEP(B0, A0, D0, $7, $25, Y12, Y13)   \
	STEP(B1, A1, D1, $7, $25, Y14, Y15)   \
	STEP(B2, A2, D2, $7, $25, Y12, Y13)   \
	STEP(C0, B0, A0, $9, $23, Y14, Y15)   \
	STEP(C1, B1, A1, $9, $23, Y12, Y13)   \
	STEP(C2, B2, A2, $9, $23, Y14, Y15)   \
	STEP(D0, C0, B0, $13, $19, Y12, Y13)  \
	STEP(D1, C1, B1, $13, $19, Y14, Y15)  \
	STEP(D2, C2, B2, $13, $19, Y12, Y13)  \
	VPSHUFD $0x93, B0, B0                 \
	VPSHUFD $0x93, B1, B1                 \
	VPSHUFD $0x93, B2, B2                 \
	STEP(A0, D0, C0, $18, $14, Y14, Y15)  \
	STEP(A1, D1, C1, $18, $14, Y12, Y13)  \
	STEP(A2, D2, C2, $18, $14, Y14, Y15)  \
	VPSHUFD $0x4E, C0, C0                 \
	VPSHUFD $0x4E, C1, C1                 \
	VPSHUFD $0x4E, C2, C2                 \
	VPSHUFD $0x39, D0, D0                 \
	VPSHUFD $0x39, D1, D1                 \
	VPSHUFD $0x39, D2, D2

// Puts the words of a pair in order and adds them to 128 bytes by exclusive or.
#define OUTPUT(A, B, C, D, off) \
	VPBLENDD   $0xAA, D, A, Y12     \
	VPBLENDD   $0xAA, B, C, Y13     \
	VPBLENDD   $0xAA, A, B, Y14     \
	VPBLENDD   $0xAA, C, D, Y15     \
	VPBLENDD   $0xCC, Y13, Y12, A   \
	VPBLENDD   $0xCC, Y15, Y14, B   \
	VPBLENDD   $0xCC, Y12, Y13, C   \
	VPBLENDD   $0xCC, Y14, Y15, D   \
	VPERM2I128 $0x20, B, A, Y12     \
	VPERM2I128 $0x20, D, C, Y13     \
	VPERM2I128 $0x31, B, A, Y14     \
	VPERM2I128 $0x31, D, C, Y15     \
	VPXOR      (off+0)(SI), Y12, Y12   \
	VPXOR      (off+32)(SI), Y13, Y13  \
	VPXOR      (off+64)(SI), Y14, Y14  \
	VPXOR      (off+96)(SI), Y15, Y15  \
	VMOVDQU    Y12, (off+0)(DI)        \
	VMOVDQU    Y13, (off+32)(DI)       \
	VMOVDQU    Y14, (off+64)(DI)       \
	VMOVDQU    Y15, (off+96)(DI)

// func xorGroups(dst, src *byte, groups int, state *diagonals)
TEXT ·xorGroups(SB), NOSPLIT, $96-32
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ state+24(FP), DX

	VBROADCASTI128 32(DX), Y2
	VPADDD         ·second(SB), Y2, Y2
	VPADDD         ·two(SB), Y2, Y6
	VPADDD         ·two(SB), Y6, Y10
	VMOVDQU        Y2, 0(SP)
	VMOVDQU        Y6, 32(SP)
	VMOVDQU        Y10, 64(SP)

group:
	VBROADCASTI128 0(DX), Y0
	VBROADCASTI128 16(DX), Y1
	VMOVDQU        0(SP), Y2
	VBROADCASTI128 48(DX), Y3
	VMOVDQA        Y0, Y4
	VMOVDQA        Y1, Y5
	VMOVDQU        32(SP), Y6
	VMOVDQA        Y3, Y7
	VMOVDQA        Y0, Y8
	VMOVDQA        Y1, Y9
	VMOVDQU        64(SP), Y10
	VMOVDQA        Y3, Y11
	MOVQ           $10, AX

rounds:
	ROUND(Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11)
	ROUND(Y0, Y3, Y2, Y1, Y4, Y7, Y6, Y5, Y8, Y11, Y10, Y9)
	SUBQ $1, AX
	JNZ  rounds

	VBROADCASTI128 0(DX), Y12
	VBROADCASTI128 16(DX), Y13
	VBROADCASTI128 48(DX), Y15
	VPADDD         Y12, Y0, Y0
	VPADDD         Y12, Y4, Y4
	VPADDD         Y12, Y8, Y8
	VPADDD         Y13, Y1, Y1
	VPADDD         Y13, Y5, Y5
	VPADDD         Y13, Y9, Y9
	VPADDD         0(SP), Y2, Y2
	VPADDD         32(SP), Y6, Y6
	VPADDD         64(SP), Y10, Y10
	VPADDD         Y15, Y3, Y3
	VPADDD         Y15, Y7, Y7
	VPADDD         Y15, Y11, Y11

	OUTPUT(Y0, Y1, Y2, Y3, 0)
	OUTPUT(Y4, Y5, Y6, Y7, 128)
	OUTPUT(Y8, Y9, Y10, Y11, 256)

	// The next six blocks.
	VMOVDQU ·two(SB), Y12
	VPADDD  Y12, Y12, Y13
	VPADDD  Y13, Y12, Y12
	VPADDD  0(SP), Y12, Y13
	VMOVDQU Y13, 0(SP)
	VPADDD  32(SP), Y12, Y13
	VMOVDQU Y13, 32(SP)
	VPADDD  64(SP), Y12, Y13
	VMOVDQU Y13, 64(SP)

	ADDQ $384, SI
	ADDQ $384, DI
	SUBQ $1, CX
	JNZ  group
	VZEROUPPER
	RET

#include "textflag.h"

// d += h * f in the low and the high halves of the products
#define MULTIPLY(h, f, low, high) \
	VPMADD52LUQ f, h, low  \
	VPMADD52HUQ f, h, high

// func addGroups(sums *laneSums, src *byte, groups int, f *factor)
TEXT ·addGroups(SB), NOSPLIT, $0-32
	MOVQ sums+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ groups+16(FP), CX
	MOVQ f+24(FP), DX

	VPBROADCASTQ 0(DX), Z16
	VPBROADCASTQ 8(DX), Z17
	VPBROADCASTQ 16(DX), Z18
	VPBROADCASTQ 24(DX), Z19
	VPBROADCASTQ 32(DX), Z20
	MOVQ         $0xFFFFFFFFFFF, AX
	VPBROADCASTQ AX, Z21
	MOVQ         $0x3FFFFFFFFFF, AX
	VPBROADCASTQ AX, Z22
	MOVQ         $0x10000000000, AX
	VPBROADCASTQ AX, Z23

	VMOVDQU64 0(DI), Z0
	VMOVDQU64 64(DI), Z1
	VMOVDQU64 128(DI), Z2

group:
	// Eight blocks as limbs in Z3, Z4 and Z5, with the bit that follows each block.
	VMOVDQU64   0(SI), Z9
	VMOVDQU64   64(SI), Z10
	VPUNPCKLQDQ Z10, Z9, Z11
	VPUNPCKHQDQ Z10, Z9, Z12
	VPANDQ      Z21, Z11, Z3
	VPSRLQ      $44, Z11, Z4
	VPSLLQ      $20, Z12, Z5
	VPORQ       Z5, Z4, Z4
	VPANDQ      Z21, Z4, Z4
	VPSRLQ      $24, Z12, Z5
	VPORQ       Z23, Z5, Z5

	// The sums times the factor are added to them.
	VPXORQ Z6, Z6, Z6
	VPXORQ Z7, Z7, Z7
	VPXORQ Z8, Z8, Z8
	MULTIPLY(Z2, Z19, Z3, Z6)
	MULTIPLY(Z2, Z20, Z4, Z7)
	MULTIPLY(Z2, Z16, Z5, Z8)
	MULTIPLY(Z0, Z16, Z3, Z6)
	MULTIPLY(Z0, Z17, Z4, Z7)
	MULTIPLY(Z0, Z18, Z5, Z8)
	MULTIPLY(Z1, Z20, Z3, Z6)
	MULTIPLY(Z1, Z16, Z4, Z7)
	MULTIPLY(Z1, Z17, Z5, Z8)

	// What does not fit a limb goes to the next one, from the last to the first five times. A high
	// half counts 2^52, which is 2^8 of the limb after its own, or 2^10 after the last.
	VPSLLQ $8, Z6, Z6
	VPSLLQ $8, Z7, Z7
	VPSLLQ $10, Z8, Z8
	VPADDQ Z6, Z4, Z4
	VPADDQ Z7, Z5, Z5
	VPSRLQ $44, Z3, Z9
	VPANDQ Z21, Z3, Z0
	VPADDQ Z9, Z4, Z4
	VPSRLQ $44, Z4, Z9
	VPANDQ Z21, Z4, Z1
	VPADDQ Z9, Z5, Z5
	VPSRLQ $42, Z5, Z9
	VPANDQ Z22, Z5, Z2
	VPADDQ Z8, Z9, Z9
	VPSLLQ $2, Z9, Z10
	VPADDQ Z9, Z0, Z0
	VPADDQ Z10, Z0, Z0
	VPSRLQ $44, Z0, Z9
	VPANDQ Z21, Z0, Z0
	VPADDQ Z9, Z1, Z1

	ADDQ $128, SI
	SUBQ $1, CX
	JNZ  group

	VMOVDQU64 Z0, 0(DI)
	VMOVDQU64 Z1, 64(DI)
	VMOVDQU64 Z2, 128(DI)
	VZEROUPPER
	RET

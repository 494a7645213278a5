// Lanes: the vector type of this instruction level and what every kernel does with it. One copy of this folder is built
// per instruction level, so kernel files hold free functions over raw pointers and vectors only: arrays, closures and
// generics would emit symbols of equal names in each copy.

import DeepMotifKernelTable

#if DM_AVX512
    typealias Lanes = SIMD16<Float>
    typealias IntLanes = SIMD16<UInt32>
    let laneCount = 16
    let instructionLevel: Int32 = 2
#elseif DM_AVX2
    typealias Lanes = SIMD8<Float>
    typealias IntLanes = SIMD8<UInt32>
    let laneCount = 8
    let instructionLevel: Int32 = 1
#else
    typealias Lanes = SIMD4<Float>
    typealias IntLanes = SIMD4<UInt32>
    let laneCount = 4
    let instructionLevel: Int32 = 0
#endif

/// Columns of one panel of a packed matrix: two vectors.
let panelColumns = 2 * laneCount

@inline(__always)
func load(_ pointer: Floats) -> Lanes {
    UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
}

@inline(__always)
func store(_ value: Lanes, _ pointer: MutableFloats) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: Lanes.self)
}

/// sum + a * b, fused where the instruction level has it (a call per lane elsewhere).
@inline(__always)
func accumulate(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    #if DM_AVX2 || DM_AVX512 || arch(arm64)
        return sum.addingProduct(a, b)
    #else
        return sum + a * b
    #endif
}

/// The same for one element.
@inline(__always)
func accumulate(_ sum: Float, _ a: Float, _ b: Float) -> Float {
    #if DM_AVX2 || DM_AVX512 || arch(arm64)
        return sum.addingProduct(a, b)
    #else
        return sum + a * b
    #endif
}

// Lanes: the vector type of this instruction level and what every kernel does with it. One copy of this folder is built
// per instruction level, so kernel files hold free functions over raw pointers and vectors only: arrays, closures and
// generics would emit symbols of equal names in each copy.

import CDeepMotifVectors
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

@inline(__always)
func load(_ pointer: Floats) -> Lanes {
    UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self)
}

@inline(__always)
func store(_ value: Lanes, _ pointer: MutableFloats) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: Lanes.self)
}

/// 0, 1, 2 ...
@inline(__always)
func laneNumbers() -> IntLanes {
    #if DM_AVX512
        return IntLanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    #elseif DM_AVX2
        return IntLanes(0, 1, 2, 3, 4, 5, 6, 7)
    #else
        return IntLanes(0, 1, 2, 3)
    #endif
}

@inline(__always)
func loadIntegers(_ pointer: UnsafePointer<Int32>) -> IntLanes {
    UnsafeRawPointer(pointer).loadUnaligned(as: IntLanes.self)
}

/// Stores small whole numbers as integers: the low bits of x + 1.5 * 2^23 hold them.
@inline(__always)
func storeIntegers(_ x: Lanes, _ pointer: UnsafeMutablePointer<Int32>) {
    let shifted = unsafeBitCast(x + Lanes(repeating: 12_582_912), to: IntLanes.self)
    let integers = shifted &- IntLanes(repeating: 0x4B40_0000)
    UnsafeMutableRawPointer(pointer).storeBytes(of: integers, as: IntLanes.self)
}

/// sum + a * b, fused where the instruction level has it (a call per lane elsewhere).
@inline(__always)
func accumulate(_ sum: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    #if DM_AVX512
        return dmv_fma16(a, b, sum)
    #elseif DM_AVX2
        return dmv_fma8(a, b, sum)
    #elseif arch(arm64)
        return dmv_fma4(a, b, sum)
    #else
        return sum + a * b
    #endif
}

/// The same for four elements.
@inline(__always)
func accumulate4(_ sum: SIMD4<Float>, _ a: SIMD4<Float>, _ b: SIMD4<Float>) -> SIMD4<Float> {
    #if DM_AVX2 || DM_AVX512 || arch(arm64)
        return dmv_fma4(a, b, sum)
    #else
        return sum + a * b
    #endif
}

/// The same for one element.
@inline(__always)
func accumulate1(_ sum: Float, _ a: Float, _ b: Float) -> Float {
    #if DM_AVX2 || DM_AVX512 || arch(arm64)
        return sum.addingProduct(a, b)
    #else
        return sum + a * b
    #endif
}

@inline(__always)
func squareRoot(_ x: Lanes) -> Lanes {
    #if DM_AVX512
        return dmv_sqrt16(x)
    #elseif DM_AVX2
        return dmv_sqrt8(x)
    #else
        return dmv_sqrt4(x)
    #endif
}

/// x limited to low ... high; NaN stays NaN.
@inline(__always)
func limited(_ x: Lanes, _ low: Float, _ high: Float) -> Lanes {
    #if DM_AVX512
        return dmv_limit16(x, Lanes(repeating: low), Lanes(repeating: high))
    #elseif DM_AVX2
        return dmv_limit8(x, Lanes(repeating: low), Lanes(repeating: high))
    #else
        return dmv_limit4(x, Lanes(repeating: low), Lanes(repeating: high))
    #endif
}

/// What belongs to the higher of two numbers: a to x, b to y; of equal ones to x, and to a NaN before all.
@inline(__always)
func ofHigher(_ x: Lanes, _ y: Lanes, _ a: Lanes, _ b: Lanes) -> Lanes {
    #if DM_AVX512
        return dmv_of_higher16(x, y, a, b)
    #elseif DM_AVX2
        return dmv_of_higher8(x, y, a, b)
    #else
        return dmv_of_higher4(x, y, a, b)
    #endif
}

/// a where the mask is true, else b. The standard library's `replacing` is a loop over the lanes that ends the
/// compiler's willingness to inline; this form becomes one blend.
@inline(__always)
func select(_ mask: SIMDMask<Lanes.MaskStorage>, _ a: Lanes, _ b: Lanes) -> Lanes {
    let (first, second) = (unsafeBitCast(a, to: IntLanes.self), unsafeBitCast(b, to: IntLanes.self))
    return unsafeBitCast(second ^ ((first ^ second) & unsafeBitCast(mask, to: IntLanes.self)), to: Lanes.self)
}

// MARK: Less than a vector

/// The first `count` < laneCount elements, zero behind them.
@inline(never)
func loadFirst(_ pointer: Floats, _ count: Int) -> Lanes {
    var result = Lanes()
    var i = 0
    while i < count {
        result[i] = pointer[i]
        i += 1
    }
    return result
}

/// `count` < laneCount elements as the last ones of a vector, zero before them.
@inline(never)
func loadLast(_ pointer: Floats, _ count: Int) -> Lanes {
    var result = Lanes()
    var i = 0
    while i < count {
        result[laneCount - count + i] = pointer[i]
        i += 1
    }
    return result
}

@inline(__always)
private func storeFirst4(_ value: SIMD4<Float>, _ pointer: MutableFloats, _ count: Int) {
    var (rest, pointer) = (value, pointer)
    if count & 2 != 0 {
        UnsafeMutableRawPointer(pointer).storeBytes(of: rest.lowHalf, as: SIMD2<Float>.self)
        rest.lowHalf = rest.highHalf
        pointer += 2
    }
    if count & 1 != 0 { pointer[0] = rest[0] }
}

/// Stores the first `count` < laneCount elements.
@inline(never)
func storeFirst(_ value: Lanes, _ pointer: MutableFloats, _ count: Int) {
    #if DM_AVX512
        var (rest, target) = (value, pointer)
        if count & 8 != 0 {
            UnsafeMutableRawPointer(target).storeBytes(of: rest.lowHalf, as: SIMD8<Float>.self)
            rest.lowHalf = rest.highHalf
            target += 8
        }
        if count & 4 != 0 {
            UnsafeMutableRawPointer(target).storeBytes(of: rest.lowHalf.lowHalf, as: SIMD4<Float>.self)
            rest.lowHalf.lowHalf = rest.lowHalf.highHalf
            target += 4
        }
        storeFirst4(rest.lowHalf.lowHalf, target, count)
    #elseif DM_AVX2
        var (rest, target) = (value, pointer)
        if count & 4 != 0 {
            UnsafeMutableRawPointer(target).storeBytes(of: rest.lowHalf, as: SIMD4<Float>.self)
            rest.lowHalf = rest.highHalf
            target += 4
        }
        storeFirst4(rest.lowHalf, target, count)
    #else
        storeFirst4(value, pointer, count)
    #endif
}

/// Stores the last `count` < laneCount elements, the first of them to `pointer`.
@inline(never)
func storeLast(_ value: Lanes, _ pointer: MutableFloats, _ count: Int) {
    var i = 0
    while i < count {
        pointer[i] = value[laneCount - count + i]
        i += 1
    }
}

// MultiplyTransposed: C += A^T B, the product of weight gradients.

import DeepMotifKernelTable

func multiplyTransposed(
    _ a: Floats, _ lda: Int, _ b: Floats, _ ldb: Int, _ c: MutableFloats, _ ldc: Int, _ m: Int, _ n: Int, _ k: Int
) {
    for row in 0..<m {
        for i in 0..<k {
            let value = a[i * lda + row]
            for column in 0..<n {
                c[row * ldc + column] = accumulate(c[row * ldc + column], value, b[i * ldb + column])
            }
        }
    }
}

// Elementwise: kernels that work element by element. One copy of this folder is built per instruction level.

import DeepMotifKernelTable

package func relu(_ x: Floats, _ y: MutableFloats, _ count: Int) {
    for i in 0..<count { y[i] = x[i] < 0 ? 0 : x[i] }
}

// InstructionLevel: which kernel table new models use. Core room.

import CDeepMotif
import DeepMotifKernelTable
import DeepMotifKernels
import Synchronization

#if arch(x86_64)
    import DeepMotifKernelsAVX2
    import DeepMotifKernelsAVX512
#endif

/// Choice among the instruction levels that this build and this processor have.
package enum InstructionLevel {
    /// The highest level that can run here.
    package static let supported: Int32 = dmi_cpu_level()

    /// The levels that can run here, lowest first.
    package static var available: [Int32] { Array(DM_ISA_BASELINE...supported) }

    private static let selected = Atomic<Int32>(
        dmi_environment_level() < 0 ? supported : min(dmi_environment_level(), supported))

    /// The level of models made from now on.
    package static var current: Int32 { selected.load(ordering: .relaxed) }

    package static func select(_ level: Int32) throws(DeepMotifError) {
        guard available.contains(level) else {
            throw .invalidArgument("instruction level must be in 0 ... \(supported) on this processor; got \(level)")
        }
        selected.store(level, ordering: .relaxed)
    }
}

extension KernelTable {
    /// The table of a level that `InstructionLevel.available` lists.
    package static func table(level: Int32) -> KernelTable {
        #if arch(x86_64)
            switch level {
            case DM_ISA_AVX512: return DeepMotifKernelsAVX512.kernelTable()
            case DM_ISA_AVX2: return DeepMotifKernelsAVX2.kernelTable()
            default: break
            }
        #endif
        return DeepMotifKernels.kernelTable()
    }

    /// The table of the selected level.
    package static var current: KernelTable { table(level: InstructionLevel.current) }
}

// swift-tools-version: 6.0
// The Swift engine of DeepMotif. Data flows one way; each target imports only targets listed above it.

import PackageDescription

#if arch(x86_64)
    let wideKernels = ["DeepMotifKernelsAVX2", "DeepMotifKernelsAVX512"]
#else
    let wideKernels: [String] = []
#endif

/// One copy of the kernels per instruction level: the same sources behind a directory symlink, other code generation.
func kernelTarget(_ name: String, define: String? = nil, flags: [String] = []) -> Target {
    let codeGeneration: [String] = flags.flatMap { ["-Xcc", $0] }
    var settings: [SwiftSetting] = [
        .unsafeFlags(["-Ounchecked"] + codeGeneration, .when(configuration: .release)),
        .unsafeFlags(codeGeneration, .when(configuration: .debug)),
    ]
    if let define { settings.append(.define(define)) }
    return .target(
        name: name, dependencies: ["CDeepMotifVectors", "DeepMotifKernelTable"], swiftSettings: settings)
}

func names(_ targets: [String]) -> [Target.Dependency] {
    targets.map { .init(stringLiteral: $0) }
}

let avx2 = ["-mavx2", "-mfma"]
let avx512 = avx2 + ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq"]

var targets: [Target] = [
    .target(name: "CDeepMotif"),
    .target(name: "CDeepMotifVectors"),
    .target(name: "DeepMotifKernelTable"),
    kernelTarget("DeepMotifKernels"),
    .target(
        name: "DeepMotifCore",
        dependencies: names(["CDeepMotif", "DeepMotifKernelTable", "DeepMotifKernels"] + wideKernels)
    ),
    .target(name: "DeepMotifSequences", dependencies: ["DeepMotifCore"]),
    .target(name: "DeepMotifNetworks", dependencies: ["DeepMotifCore", "DeepMotifSequences"]),
    .target(
        name: "DeepMotifInterpretation",
        dependencies: ["CDeepMotif", "DeepMotifCore", "DeepMotifSequences", "DeepMotifNetworks"]
    ),
    .target(name: "DeepMotifMotifs", dependencies: ["DeepMotifCore", "DeepMotifSequences"]),
    .target(
        name: "DeepMotifABI",
        dependencies: [
            "CDeepMotif", "DeepMotifCore", "DeepMotifSequences", "DeepMotifNetworks", "DeepMotifInterpretation",
            "DeepMotifMotifs",
        ]
    ),
]

#if arch(x86_64)
    targets += [
        kernelTarget("DeepMotifKernelsAVX2", define: "DM_AVX2", flags: avx2),
        kernelTarget("DeepMotifKernelsAVX512", define: "DM_AVX512", flags: avx512),
    ]
#endif

/// A test target per room, mirrored file by file.
func tests(of room: String, _ extra: [String] = []) -> Target {
    .testTarget(
        name: "DeepMotif\(room)Tests",
        dependencies: names(["DeepMotifCore", "DeepMotifKernelTable"] + extra)
    )
}

targets += [
    .executableTarget(
        name: "DeepMotifBench",
        dependencies: names(["DeepMotifCore", "DeepMotifKernelTable", "DeepMotifKernels"] + wideKernels)),
    .target(
        name: "DeepMotifTestSupport", dependencies: ["DeepMotifCore", "DeepMotifKernelTable"],
        path: "Tests/DeepMotifTestSupport"),
    tests(of: "Core"),
    tests(of: "Kernels", ["DeepMotifTestSupport"]),
    tests(of: "Networks", ["DeepMotifNetworks", "DeepMotifTestSupport"]),
    tests(of: "Sequences", ["DeepMotifSequences"]),
    tests(
        of: "Interpretation",
        ["CDeepMotif", "DeepMotifInterpretation", "DeepMotifNetworks", "DeepMotifSequences", "DeepMotifTestSupport"]),
    tests(of: "Motifs", ["DeepMotifMotifs"]),
    tests(of: "ABI", ["DeepMotifABI", "CDeepMotif"]),
]

let package = Package(
    name: "DeepMotif",
    products: [.library(name: "DeepMotifEngine", type: .static, targets: ["DeepMotifABI"])],
    targets: targets
)

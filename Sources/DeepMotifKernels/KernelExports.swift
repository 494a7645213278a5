// KernelExports: this copy's one exported symbol, the table of its kernels.

import DeepMotifKernelTable

package func kernelTable() -> KernelTable {
    KernelTable(
        level: instructionLevel, panelWidth: panelColumns, lstmLanes: gateLanes, packMatrix: packMatrix,
        multiply: multiply, multiplyTransposed: multiplyTransposed, multiplyMasked: multiplyMasked,
        convolveCodes: convolveCodes,
        convolveCodesGradient: convolveCodesGradient,
        convolveListedGradient: convolveListedGradient, convolveCodePairs: convolveCodePairs,
        convolveCodePools: convolveCodePools,
        countNonzeros: countNonzeros, listNonzeros: listNonzeros,
        accumulateSparseRows: accumulateSparseRows, scatterSparseRows: scatterSparseRows,
        multiplyListed: multiplyListed, packRecurrent: packRecurrent,
        packRecurrentTransposed: packRecurrentTransposed, lstmForward: lstmForward, lstmBackward: lstmBackward,
        lstmScratchCount: lstmScratchCount, addRowsByCode: addRowsByCode, maxPool: maxPool,
        maxPoolGradient: maxPoolGradient, averagePool: averagePool, averagePoolGradient: averagePoolGradient,
        relu: relu, reluGradient: reluGradient, sigmoid: sigmoid, sigmoidGradient: sigmoidGradient, tanh: tanh,
        tanhGradient: tanhGradient, add: add, addColumnSums: addColumnSums, dropout: dropout, adam: adam,
        ascend: ascend, ascendMaxima: ascendMaxima, layers: layerKernels(), training: trainingKernels())
}

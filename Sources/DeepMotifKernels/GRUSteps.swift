// GRUSteps: what one step of a GRU does beside its matrix products. GRUStep says what the arrays hold.

import DeepMotifKernelTable

func gruGates(_ step: GRUStep) {
    let units = step.units
    for row in 0..<step.rows {
        let (input, sum) = (step.inputs + row * step.inputStride, step.sums + row * 3 * units)
        let (previous, gates) = (step.previous + row * step.previousStride, step.gates + row * step.gateStride)
        var u = 0
        while u < units {
            let left = units - u
            let r = sigmoidLanes(loadPart(input + u, left) + loadPart(sum + u, left))
            let z = sigmoidLanes(loadPart(input + units + u, left) + loadPart(sum + units + u, left))
            storePart(r, gates + u, left)
            storePart(z, gates + units + u, left)
            if !step.resetsAfter { storePart(r * loadPart(previous + u, left), gates + 3 * units + u, left) }
            u += laneCount
        }
    }
}

func gruState(_ step: GRUStep, _ state: MutableFloats, _ stateStride: Int) {
    let units = step.units
    for row in 0..<step.rows {
        let input = step.inputs + row * step.inputStride + 2 * units
        let sum = step.sums + row * 3 * units + 2 * units
        let (previous, gates) = (step.previous + row * step.previousStride, step.gates + row * step.gateStride)
        let target = state + row * stateStride
        var u = 0
        while u < units {
            let left = units - u
            let product = loadPart(sum + u, left)
            let z = loadPart(gates + units + u, left)
            var inner = loadPart(input + u, left)
            if step.resetsAfter {
                inner = accumulate(inner, loadPart(gates + u, left), product)
                storePart(product, gates + 3 * units + u, left)
            } else {
                inner += product
            }
            let n = tanhLanes(inner)
            storePart(n, gates + 2 * units + u, left)
            storePart(accumulate(n, z, loadPart(previous + u, left) - n), target + u, left)
            u += laneCount
        }
    }
}

func gruStateGradient(_ step: GRUStep, _ dy: Floats, _ dyStride: Int, _ carry: MutableFloats) {
    let units = step.units
    let one = Lanes(repeating: 1)
    for row in 0..<step.rows {
        let (previous, gates) = (step.previous + row * step.previousStride, step.gates + row * step.gateStride)
        let (source, own) = (dy + row * dyStride, carry + row * units)
        var u = 0
        while u < units {
            let left = units - u
            let (r, z) = (loadPart(gates + u, left), loadPart(gates + units + u, left))
            let n = loadPart(gates + 2 * units + u, left)
            let dh = loadPart(source + u, left) + loadPart(own + u, left)
            let dz = dh * (loadPart(previous + u, left) - n) * (z * (one - z))
            let dn = dh * (one - z) * (one - n * n)
            storePart(dz, gates + units + u, left)
            storePart(dn, gates + 2 * units + u, left)
            storePart(dh * z, own + u, left)
            if step.resetsAfter {
                let product = loadPart(gates + 3 * units + u, left)
                storePart(dn * product * (r * (one - r)), gates + u, left)
                storePart(dn * r, gates + 3 * units + u, left)
            }
            u += laneCount
        }
    }
}

func gruResetGradient(_ step: GRUStep, _ gradient: Floats, _ carry: MutableFloats) {
    let units = step.units
    let one = Lanes(repeating: 1)
    for row in 0..<step.rows {
        let (previous, gates) = (step.previous + row * step.previousStride, step.gates + row * step.gateStride)
        let own = carry + row * units
        var u = 0
        while u < units {
            let left = units - u
            let (r, product) = (loadPart(gates + u, left), loadPart(gradient + row * units + u, left))
            storePart(accumulate(loadPart(own + u, left), product, r), own + u, left)
            storePart(product * loadPart(previous + u, left) * (r * (one - r)), gates + u, left)
            u += laneCount
        }
    }
}

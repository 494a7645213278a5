// MetricsABI: measures of predictions. ABI room.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

import CDeepMotif
import DeepMotifCore
import DeepMotifNetworks

@_cdecl("dm_metric_roc_auc") @implementation
public func dm_metric_roc_auc(
    _ scores: UnsafePointer<Float>?, _ labels: UnsafePointer<Int32>?, _ count: Int64,
    _ value: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        try require(value, "value").pointee = try Metrics.rocAUC(
            scores: try require(scores, "scores"), labels: try require(labels, "labels"),
            count: try size(count, "count"))
    }
}

@_cdecl("dm_metric_average_precision") @implementation
public func dm_metric_average_precision(
    _ scores: UnsafePointer<Float>?, _ labels: UnsafePointer<Int32>?, _ count: Int64,
    _ value: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        try require(value, "value").pointee = try Metrics.averagePrecision(
            scores: try require(scores, "scores"), labels: try require(labels, "labels"),
            count: try size(count, "count"))
    }
}

@_cdecl("dm_metric_log_loss") @implementation
public func dm_metric_log_loss(
    _ probabilities: UnsafePointer<Float>?, _ labels: UnsafePointer<Int32>?, _ count: Int64, _ classes: Int64,
    _ value: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let rows = try size(count, "count")
        let columns = try size(classes, "classes", atLeast: 1)
        _ = try product(rows, columns, name: "probabilities")
        try require(value, "value").pointee = try Metrics.logLoss(
            probabilities: try require(probabilities, "probabilities"), labels: try require(labels, "labels"),
            count: rows, classes: columns)
    }
}

@_cdecl("dm_metric_matthews") @implementation
public func dm_metric_matthews(
    _ predicted: UnsafePointer<Int32>?, _ labels: UnsafePointer<Int32>?, _ count: Int64, _ classes: Int64,
    _ value: UnsafeMutablePointer<Double>?
) -> Int32 {
    guarded { () throws(DeepMotifError) in
        let classes = try size(classes, "classes", atLeast: 1)
        guard classes <= 1 << 20 else { throw .invalidArgument("classes must be at most 2^20; got \(classes)") }
        try require(value, "value").pointee = try Metrics.matthews(
            predicted: try require(predicted, "predicted"), labels: try require(labels, "labels"),
            count: try size(count, "count"), classes: classes)
    }
}

import MurmurCompute
import MurmurMachines
import Testing

/// Architectures, parameters and samples as values.
@Suite struct ModelTests {
  @Test(arguments: [
    ("64-64-10", 4_810, Task.classification), ("784-256-128-10", 235_146, .classification),
    ("784-64-10 tanh", 50_890, .classification),
    ("autoencoder 784-64-16-64-784", 103_328, .regression), ("regression 13-64-1", 961, .regression),
    ("lenet5", 61_706, .classification),
  ]) func architecturesAreText(text: String, count: Int, task: Task) throws {
    let architecture = try Architecture(parsing: text)
    #expect(architecture.parameterCount == count && architecture.task == task && architecture.description == text)
    #expect(try Architecture(parsing: architecture.description) == architecture)
    var position = 0
    for range in architecture.ranges {
      #expect(range.range.lowerBound == position && range.shape.reduce(1, *) == range.range.count)
      position = range.range.upperBound
    }
    #expect(position == count)
    #expect(architecture.ranges.map(\.name).prefix(2) == ["layers.0.weight", "layers.0.bias"])
  }

  @Test func theWorkOfARowIsCounted() throws {
    let architecture = try Architecture(parsing: "28-64-64-2")
    #expect(architecture.inferenceOperationsPerRow == 2 * (28 * 64 + 64 * 64 + 64 * 2))
    #expect(architecture.trainingOperationsPerRow == 3 * architecture.inferenceOperationsPerRow - 2 * 28 * 64)
  }

  @Test(arguments: [
    ("", "empty"), ("64", "at least two"), ("64-x-10", "'x' is not a layer width"), ("64--10", "'' is not a layer width"),
    ("64-0-10", "'0' is not a layer width"), ("64-10 rulu", "known: none, relu"), ("64-1", "regression 64-1"),
    ("autoencoder 5-3-4", "ends as wide as it begins"), ("lenet5 7", "nothing after it"),
    ("64-10 relu 3", "is not an activation"),
    ("1000000-1000000", "at most"), ("64 10 relu", "expected layer widths"),
    (String(repeating: "9", count: 2_000), "longer than"),
    (String(repeating: "2-", count: 80) + "2", "at most 64"),
  ]) func wrongArchitecturesSayWhy(text: String, message: String) {
    let error = #expect(throws: ArchitectureError.self) { try Architecture(parsing: text) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func initialParametersBelongToTheirSeed() throws {
    let architecture = try Architecture(parsing: "64-64-10")
    let first = architecture.initialParameters(seed: 1)
    #expect(first == architecture.initialParameters(seed: 1) && first != architecture.initialParameters(seed: 2))
    #expect(fingerprint(first.array) == "c8e4a3779239d28d")
    #expect(first.maxAbs <= 0.125)
    let (mean, variance) = first.moments(of: architecture.ranges[0].range)
    #expect(abs(mean) < 0.005 && abs(variance - 1.0 / 192) < 0.0003)
  }

  @Test func copiesOfAVectorDoNotSeeChanges() {
    var first = ParameterVector([1, 2, 3])
    let second = first
    first.scale(by: 2)
    #expect(first.array == [2, 4, 6] && second.array == [1, 2, 3] && first != second)
    #expect(first.hashValue == ParameterVector([2, 4, 6]).hashValue)
    #expect(ParameterVector([.nan]) == ParameterVector([.nan]) && ParameterVector([0]) != ParameterVector([-0.0]))
  }

  @Test func vectorsCombine() {
    let (a, b, c) = (ParameterVector([1, 2, 3]), ParameterVector([3, 0, -1]), ParameterVector([8, 1, 1]))
    #expect(ParameterVector.mean(of: [a, b], weights: [0.25, 0.75]).array == [2.5, 0.5, 0])
    #expect(ParameterVector.mean(of: [a, b]).array == [2, 1, 1])
    #expect(ParameterVector.median(of: [a, b, c]).array == [3, 1, 1])
    #expect(ParameterVector.median(of: [a, b]).array == [2, 1, 1])
    #expect(ParameterVector.trimmedMean(of: [a, b, c], trim: 1).array == [3, 1, 1])
    var d = a
    d.add(b, scaledBy: 2)
    #expect(d.array == [7, 2, 1])
    d.subtract(a)
    #expect(d.array == [6, 0, -2])
    d.multiply(by: b)
    #expect(d.array == [18, 0, 2])
    d.interpolate(towards: ParameterVector([0, 0, 0]), by: 0.5)
    #expect(d.array == [9, 0, 1])
    d.transform(0..<2, factor: 2, offset: 1)
    #expect(d.array == [19, 1, 1])
    #expect(a.dot(b) == 0 && a.squaredNorm == 14 && a.squaredDistance(to: b) == 24)
    #expect(b.maxAbs == 3 && a.maxAbsDifference(to: b) == 4)
    #expect(a.isFinite && !ParameterVector([1, .infinity]).isFinite && !ParameterVector([.nan]).isFinite)
  }

  @Test func subsetsTakeRowsInOrder() {
    let samples = Samples(features: [1, 2, 3, 4, 5, 6], width: 2, labels: [0, 1, 2], classes: 3)
    let subset = samples.subset(rows: [2, 0, 2])
    #expect(subset.count == 3 && subset.labels == [2, 0, 2] && subset.row(0) == [5, 6] && subset.row(1) == [1, 2])
    #expect(subset.classes == 3 && subset.width == 2)
    let targets = Samples(features: [1, 2], width: 1, targets: [3, 4, 5, 6], targetWidth: 2).subset(rows: [1])
    #expect(targets.count == 1 && targets.targetWidth == 2)
  }
}

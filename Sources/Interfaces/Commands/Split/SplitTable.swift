import Foundation
import MurmurCompute
import MurmurDatasets
import MurmurLibrary
import MurmurMachines
import MurmurSplit

/// Tables of single devices: made from a data set by whoever starts a swarm, read by each device.
enum SplitTable {
  /// A data set dealt to devices: training rows first, standardised by those.
  struct Dealt {
    var name: String
    var columns: [[Int]]
    var samples: Samples
    var training: Int
    var classes: Int
    var classNames: [String]

    /// The labels of the rows that are not learnt from.
    var tested: Range<Int> { training..<samples.count }
  }

  static func deal(_ name: String, label: String?, devices: Int, rows: Int?, seed: UInt64) throws -> Dealt {
    let data = try Library().load(name, label: label)
    guard data.samples.classes > 1 else {
      throw Failure("--data \(name): there are no classes to learn; say which column holds the label with --label")
    }
    var (training, tested) = (
      Array(0..<Int32(data.testFrom ?? data.count)), Array(Int32(data.testFrom ?? data.count)..<Int32(data.count))
    )
    if tested.isEmpty {
      var chance = Chance(seed: seed).fork("test rows")
      chance.shuffle(&training)
      tested = Array(training.suffix(data.count / 5))
      training.removeLast(tested.count)
    }
    if let rows { training = Array(training.prefix(rows)) }
    guard !training.isEmpty, !tested.isEmpty else { throw Failure("--data \(name): \(data.count) rows are too few") }
    let scale = Standardisation.fit(on: data.samples, rows: training, method: Standardisation.method(for: data))
    let columns = try deal(data, devices).columns(of: data, devices: devices)
    return Dealt(
      name: data.name, columns: columns, samples: scale.apply(to: data.samples.subset(rows: training + tested)),
      training: training.count, classes: data.samples.classes, classNames: data.classNames)
  }

  /// Patches of an image, as square as they go; else columns one after the other.
  private static func deal(_ data: Dataset, _ devices: Int) -> FeatureDeal {
    guard let shape = data.imageShape else { return .even }
    let ways = (1...devices).filter { devices % $0 == 0 && shape.height % $0 == 0 && shape.width % (devices / $0) == 0 }
    guard let rows = ways.min(by: { abs($0 - devices / $0) < abs($1 - devices / $1) }) else { return .even }
    return .patches(rows: rows, columns: devices / rows)
  }

  /// A device's table as an npy file: its features, and the class in the last column.
  static func npy(_ dealt: Dealt, device: Int) -> [UInt8] {
    let own = dealt.samples.matrix(columns: dealt.columns[device]).array
    let width = dealt.columns[device].count
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(dealt.samples.count), \(width + 1)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 0xff), UInt8(header.utf8.count >> 8)]
    bytes += Array(header.utf8)
    bytes.reserveCapacity(bytes.count + 4 * (own.count + dealt.samples.count))
    func append(_ value: Float) {
      for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift)) }
    }
    for row in 0..<dealt.samples.count {
      for column in 0..<width { append(own[row * width + column]) }
      append(Float(dealt.samples.labels[row]))
    }
    return bytes
  }

  /// A device's rows from its file. A CSV table is standardised by its training rows; an npy table is as it is.
  static func read(_ path: String, label: String?, session: SplitSession, number: Int) throws -> SplitRows {
    let isArray = path.hasSuffix(".npy")
    let data = try Library().load(path, label: label ?? (isArray ? "-1" : nil))
    let width = session.devices[number].features
    guard data.samples.width == width else {
      throw Failure("\(path): it has \(data.samples.width) features, device \(number) of the session has \(width)")
    }
    guard data.count == session.rows else {
      throw Failure(
        "\(path): it has \(data.count) rows, the session has \(session.rows); row by row they are the same samples everywhere")
    }
    guard data.samples.classes <= session.classes else {
      throw Failure("\(path): it has \(data.samples.classes) classes, the session has \(session.classes)")
    }
    var samples = data.samples
    if !isArray {
      let training = Array(0..<Int32(session.training))
      samples = Standardisation.fit(on: samples, rows: training, method: .normal).apply(to: samples)
    }
    return SplitRows(
      features: samples.matrix(columns: Array(0..<width)),
      labels: samples.labels.isEmpty ? [Int32](repeating: -1, count: data.count) : samples.labels,
      training: session.training)
  }
}

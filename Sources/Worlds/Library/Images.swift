import Dispatch
import MurmurDatasets
import Synchronization

/// Loads data sets in MNIST's form: images and labels of a training and a test part, and perhaps who wrote them.
enum Images {
  /// The four files in `folder`, gzipped or not, and the writers where they are known.
  static func load(folder: String, name: String, writers: Bool) throws(LibraryError) -> Dataset {
    var files: [String] = []
    for file in Catalogue.imageFiles {
      let path = folder + "/" + file
      if DiskFile.size(path) != nil { files.append(path) } else { files.append(String(path.dropLast(3))) }
    }
    guard DiskFile.size(files[0]) != nil else {
      throw .file(
        path: folder, problem: "this folder holds no data set in MNIST's form (\(Catalogue.imageFiles[0]) …)",
        advice: "name a file, or one of \(Catalogue.entries.map(\.name).joined(separator: ", "))")
    }
    var dataset = try load(files: files, name: name)
    guard writers else { return dataset }
    var ids: [Int32] = []
    for part in ["train", "test"] {
      let path = "\(folder)/mnist_\(part)_writer_ids_u16le.bin.gz"
      guard DiskFile.size(path) != nil else { return dataset }
      ids += try writerNumbers(path)
    }
    guard ids.count == dataset.count else {
      throw .data(
        DataError(folder, "\(ids.count) writers for \(dataset.count) images", advice: "take files that belong together"))
    }
    let known = Set(ids).sorted()
    var places: [Int32: Int32] = [:]
    for (place, id) in known.enumerated() { places[id] = Int32(place) }
    dataset.groups = ids.map { places[$0, default: 0] }
    dataset.groupNames = known.map { "writer \($0)" }
    return dataset
  }

  /// Images, labels and, if there are four files, test images and test labels; read and unpacked side by side.
  static func load(files: [String], name: String) throws(LibraryError) -> Dataset {
    let read = Mutex<[Int: Result<IDX.File, LibraryError>]>([:])
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      let result = Result { () throws(LibraryError) in
        let bytes = try DiskFile.bytes(files[index])
        return try mapped { () throws(DataError) in try IDX.open(bytes: bytes, file: files[index]) }
      }
      read.withLock { $0[index] = result }
    }
    let results = read.withLock { $0 }
    var parts: [IDX.File] = []
    for index in files.indices {
      guard let result = results[index] else { preconditionFailure("every file was read") }
      parts.append(try result.get())
    }
    return try mapped { () throws(DataError) in
      try IDX.dataset(
        name: name, images: parts[0], labels: parts[1], testImages: parts.count == 4 ? parts[2] : nil,
        testLabels: parts.count == 4 ? parts[3] : nil)
    }
  }

  /// One unsigned 16-bit number per image, least significant byte first.
  private static func writerNumbers(_ path: String) throws(LibraryError) -> [Int32] {
    let packed = try DiskFile.bytes(path)
    let bytes = try mapped { () throws(DataError) in try Gzip.inflate(packed, limit: 1 << 26, file: path) }
    guard bytes.count % 2 == 0 else { throw .data(DataError(path, .byte(bytes.count), "half a number at the end")) }
    return stride(from: 0, to: bytes.count, by: 2).map { Int32(bytes[$0]) | Int32(bytes[$0 + 1]) << 8 }
  }
}

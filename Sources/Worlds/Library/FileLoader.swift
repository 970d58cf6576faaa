import MurmurDatasets

/// Loads one file by what is in it, whatever its name.
struct FileLoader {
  let path: String
  let options: CSV.Options

  private enum Content { case idx, npy, zip, table }

  func load() throws(LibraryError) -> Dataset {
    let beginning = try DiskFile.beginning(path, 4096)
    guard !beginning.isEmpty else { throw .data(DataError(path, "the file is empty")) }
    let zipped = Gzip.isGzip(beginning)
    var dataset: Dataset
    switch try content(zipped ? unpackedBeginning() : beginning) {
    case .idx: dataset = try idx()
    case .npy:
      let bytes = try DiskFile.bytes(path)
      dataset = try mapped { () throws(DataError) in
        try NPY.parse(bytes: bytes, file: path).dataset(name: path, label: options.label)
      }
    case .zip:
      throw .data(
        DataError(path, .byte(0), "this is a zip (or npz) archive", advice: "unpack it and name one of the files in it"))
    case .table: dataset = try table(zipped: zipped)
    }
    dataset.name = Library.stem(path)
    return dataset
  }

  private func content(_ bytes: [UInt8]) -> Content {
    if NPY.isNPY(bytes) { return .npy }
    if bytes.starts(with: [0x50, 0x4b, 0x03, 0x04]) { return .zip }
    if bytes.count >= 4, bytes[0] == 0, bytes[1] == 0 { return .idx }
    return .table
  }

  /// The first unpacked bytes of a gzipped file; a damaged file gives what there is, and its error when it is read.
  private func unpackedBeginning() throws(LibraryError) -> [UInt8] {
    var inflater = Gzip.Inflater(file: path, limit: .max)
    var first: [UInt8] = []
    try unsafe DiskFile.read(path) { chunk throws(LibraryError) in
      do throws(DataError) {
        try unsafe inflater.feed(UnsafeBufferPointer(rebasing: chunk.prefix(1 << 16))) { unsafe first.append(contentsOf: $0) }
      } catch { throw .data(error) }
      return false
    }
    return first
  }

  private func table(zipped: Bool) throws(LibraryError) -> Dataset {
    var table = CSV.Table(file: path, options: options)
    if zipped {
      var inflater = Gzip.Inflater(file: path, limit: .max)
      try unsafe DiskFile.read(path) { chunk throws(LibraryError) in
        do throws(DataError) {
          try unsafe inflater.feed(chunk) { piece throws(DataError) in try unsafe table.feed(piece) }
        } catch { throw .data(error) }
        return !table.isFull
      }
      if !table.isFull { try mapped { () throws(DataError) in try inflater.finish() } }
    } else {
      try unsafe DiskFile.read(path) { chunk throws(LibraryError) in
        do throws(DataError) { try unsafe table.feed(chunk) } catch { throw .data(error) }
        return !table.isFull
      }
    }
    return try mapped { () throws(DataError) in try table.finish() }
  }

  /// An image file with the labels and the test part that lie beside it.
  private func idx() throws(LibraryError) -> Dataset {
    let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
    let name = String(path.split(separator: "/").last ?? "")
    if name.contains("images") {
      let labels = name.replacing("images", with: "labels").replacing("idx3", with: "idx1")
      if DiskFile.size(folder + "/" + labels) != nil {
        let test = name.hasPrefix("train") ? "t10k" + name.dropFirst(5) : nil
        let testLabels = labels.hasPrefix("train") ? "t10k" + labels.dropFirst(5) : nil
        let files = [name, labels, test, testLabels].compactMap { $0 }.filter { DiskFile.size(folder + "/" + $0) != nil }
        return try Images.load(files: (files.count == 4 ? files : [name, labels]).map { folder + "/" + $0 }, name: name)
      }
    }
    let bytes = try DiskFile.bytes(path)
    return try mapped { () throws(DataError) in
      try IDX.parse(bytes: bytes, file: path).dataset(name: path, label: options.label)
    }
  }
}

/// Runs `body`, whose errors concern a file's content.
func mapped<Result>(_ body: () throws(DataError) -> Result) throws(LibraryError) -> Result {
  do throws(DataError) { return try body() } catch { throw .data(error) }
}

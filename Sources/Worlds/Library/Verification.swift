/// What became of checking one file against what is known about it.
public struct Verification: Hashable, Sendable, CustomStringConvertible {
  /// The file.
  public let file: Catalogue.File
  /// Where it is, or would be.
  public let path: String
  /// What was found.
  public let finding: Finding

  /// What was found.
  public enum Finding: Hashable, Sendable {
    /// Size and checksum are right.
    case right
    /// It is there, but no checksum of it is published.
    case unknown(bytes: Int)
    /// It is not there.
    case missing
    /// An unfinished fetch is there.
    case partial(bytes: Int)
    /// Its size is wrong.
    case wrongSize(found: Int, right: Int)
    /// Its content is wrong.
    case wrongChecksum(found: Checksum, right: Checksum)
    /// It cannot be read.
    case unreadable(String)
  }

  /// Whether nothing is wrong with it; an optional file may be missing.
  public var isGood: Bool {
    switch finding {
    case .right, .unknown: true
    case .missing, .partial: file.isOptional
    case .wrongSize, .wrongChecksum, .unreadable: false
    }
  }

  /// The path, what was found, and what to do, in one line.
  public var description: String {
    switch finding {
    case .right: "\(path): right (\(file.checksum == nil ? "size" : "size and checksum"))"
    case .unknown(let bytes): "\(path): there, \(bytes) bytes; no checksum is published"
    case .missing: "\(path): missing\(file.isOptional ? " (not needed)" : "")"
    case .partial(let bytes): "\(path): \(bytes)\(file.bytes.map { " of \($0)" } ?? "") bytes fetched; fetch again to go on"
    case .wrongSize(let found, let right): "\(path): \(found) bytes where \(right) are right; remove it and fetch again"
    case .wrongChecksum(let found, let right): "\(path): \(found) where \(right) is right; remove it and fetch again"
    case .unreadable(let why): why
    }
  }
}

extension Library {
  /// Checks size and checksum of every file of `entry` that is on this machine; where it is nowhere, the cache is reported on.
  ///
  /// `progress` is told the file and how many of its bytes were read. A cancelled task stops the check.
  ///
  /// - Throws: ``LibraryError/cancelled(kept:)`` alone; all else is a finding.
  public func verify(
    _ entry: Catalogue.Entry, progress: @Sendable (Catalogue.File, Int) -> Void = { _, _ in }
  ) async throws(LibraryError) -> [Verification] {
    let home = folder(of: entry) ?? cache + "/" + entry.name
    var findings: [Verification] = []
    for file in entry.files {
      let path = home + "/" + file.name
      findings.append(Verification(file: file, path: path, finding: try finding(file, path) { progress(file, $0) }))
      await Task.yield()
    }
    return findings
  }

  private func finding(
    _ file: Catalogue.File, _ path: String, _ progress: (Int) -> Void
  ) throws(LibraryError) -> Verification.Finding {
    guard let size = DiskFile.size(path) else {
      return DiskFile.size(path + ".part").map { .partial(bytes: $0) } ?? .missing
    }
    let repacked = file.repacked.flatMap { $0.bytes == size ? $0.checksum : nil }
    if let right = file.bytes, size != right, repacked == nil { return .wrongSize(found: size, right: right) }
    guard let right = repacked ?? file.checksum else { return .unknown(bytes: size) }
    do throws(LibraryError) {
      let found = try right.recomputed(path) { done in
        progress(done)
        return !Task.isCancelled
      }
      return found == right ? .right : .wrongChecksum(found: found, right: right)
    } catch {
      if case .cancelled = error { throw error }
      return .unreadable(error.description)
    }
  }
}

import Foundation

/// One file on its way into the cache: `name.part` grows until it is whole and its checksum right, then becomes `name`.
struct Download {
  let file: Catalogue.File
  let path: String
  let position: (index: Int, count: Int)
  let settings: Fetch
  let listener: Fetch.Listener

  private var part: String { path + ".part" }
  /// The server's name for the version the part is of (ETag or date), so that two versions are never joined.
  private var tag: String { path + ".part.tag" }

  private func tell(_ phase: Fetch.Phase, _ received: Int) {
    listener(Fetch.Progress(file: file.name, position: position, received: received, total: file.bytes, phase: phase))
  }

  func run() async throws(LibraryError) {
    guard let text = file.url, let url = URL(string: text) else {
      throw .file(path: path, problem: "this file cannot be fetched", advice: "put it there by hand")
    }
    if let size = DiskFile.size(path) {
      tell(.checking, size)
      if try isRight(path) { return tell(.wasHere, size) }
      try remove(path)
    }
    var failures = 0
    var isSecondTry = false
    while true {
      if Task.isCancelled { throw .cancelled(kept: kept) }
      let before = DiskFile.size(part) ?? 0
      let outcome = try await receive(url, from: before)
      let after = DiskFile.size(part) ?? 0
      switch outcome {
      case .whole:
        tell(.checking, after)
        if try isRight(part) {
          try settle()
          return tell(.done, after)
        }
        try remove(part)
        try remove(tag)
        // A part of another version, joined with this one: once more from the beginning.
        guard before > 0, !isSecondTry else { throw .wrongContent(url: text, problem: wrong(after)) }
        isSecondTry = true
      case .startOver:
        try remove(part)
        try remove(tag)
        failures += 1
        guard failures < settings.attempts else {
          throw .network(url: text, problem: "refuses every range", attempts: failures, kept: kept)
        }
      case .refused(let why): throw .network(url: text, problem: why, attempts: 1, kept: kept)
      case .failed(let why):
        failures = after > before ? 1 : failures + 1
        guard failures < settings.attempts else { throw .network(url: text, problem: why, attempts: failures, kept: kept) }
        try await wait(failures, because: why, received: after)
      }
    }
  }

  private func receive(_ url: URL, from offset: Int) async throws(LibraryError) -> Transfer.Outcome {
    if let total = file.bytes, offset == total { return .whole }
    if let total = file.bytes, offset > total { return .startOver }
    tell(.receiving, offset)
    let transfer = Transfer(
      part: try PartFile(part), tag: tag, expected: file.bytes, report: { received in tell(.receiving, received) })
    let outcome = await transfer.run(url, silence: settings.silence)
    switch outcome {
    case .success(let outcome):
      if Task.isCancelled, outcome != .whole { throw .cancelled(kept: kept) }
      return outcome
    case .failure(let error): throw error
    }
  }

  private func wait(_ failures: Int, because why: String, received: Int) async throws(LibraryError) {
    var pause = settings.patience
    for _ in 1..<max(failures, 1) { pause = min(pause * 2, .seconds(60)) }
    tell(
      .waiting(seconds: Double(pause.components.seconds) + Double(pause.components.attoseconds) * 1e-18, because: why), received)
    do { try await Task.sleep(for: pause) } catch { throw .cancelled(kept: kept) }
  }

  private var kept: String? { (DiskFile.size(part) ?? 0) > 0 ? part : nil }

  private func isRight(_ path: String) throws(LibraryError) -> Bool {
    if let bytes = file.bytes, DiskFile.size(path) != bytes { return false }
    guard let checksum = file.checksum else { return true }
    return try checksum.recomputed(path) { _ in !Task.isCancelled } == checksum
  }

  private func wrong(_ size: Int) -> String {
    if let bytes = file.bytes, size != bytes { return "sends \(size) bytes where \(bytes) are right" }
    return "sends something other than the known content (\(file.checksum?.description ?? ""))"
  }

  private func settle() throws(LibraryError) {
    guard unsafe rename(part, path) == 0 else { throw DiskFile.failure(path, "cannot be written", errno) }
    try remove(tag)
  }

  private func remove(_ path: String) throws(LibraryError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw DiskFile.failure(path, "cannot be removed", errno) }
  }
}

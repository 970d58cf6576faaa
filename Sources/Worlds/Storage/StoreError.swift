/// Why the store could not do something: where, in which phase, what went wrong and what to do.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file or folder concerned.
  public let path: String
  /// What was being done.
  public let phase: Phase
  /// What went wrong.
  public let cause: Cause

  /// What was being done.
  public enum Phase: String, Hashable, Sendable {
    /// The folder was being made or locked, the database opened.
    case opening
    /// The database was being brought to this version's tables.
    case migrating
    /// What a crash left was being put in order.
    case recovering
    /// Blocks were being written.
    case writing
    /// Files were being made safe.
    case syncing
    /// The database was being changed.
    case committing
    /// Something was being read.
    case reading
    /// Blocks nobody wants kept were being removed.
    case collecting
    /// A recording was being written or read.
    case recording
  }

  /// What went wrong.
  public enum Cause: Hashable, Sendable {
    /// The disk, or the user's share of it, is full.
    case noSpace
    /// Files may not be written or read there.
    case notPermitted
    /// Another process uses the store.
    case inUse(process: Int?)
    /// The store was written by a newer version.
    case newer(version: Int, known: Int)
    /// The limit on the store's size is reached and everything in it is pinned.
    case full(pinned: Int, limit: Int)
    /// Something is larger than may be stored.
    case tooLarge(bytes: Int, limit: Int)
    /// What is there is not what was written.
    case damaged(String)
    /// The store was closed.
    case closed
    /// Anything else, in the system's words.
    case other(String)
  }

  /// An error at `path` in that phase.
  public init(_ path: String, _ phase: Phase, _ cause: Cause) {
    self.path = path
    self.phase = phase
    self.cause = cause
  }

  /// One sentence: path, phase, cause and remedy.
  public var description: String { "store \(path), \(phase.rawValue): \(cause)" }
}

extension StoreError.Cause: CustomStringConvertible {
  /// Cause and remedy.
  public var description: String {
    switch self {
    case .noSpace: "no space is left on the disk; free some, or collect garbage, or move the store with --store"
    case .notPermitted: "permission denied; make the folder writable for this user, or choose another one with --store"
    case .inUse(let process):
      "it is in use by process \(process.map(String.init) ?? "(unknown)"); stop that one, or choose another folder with --store"
    case .newer(let version, let known):
      "it has version \(version), this program knows versions up to \(known); update the program, or choose another folder"
    case .full(let pinned, let limit):
      "\(pinned) of at most \(limit) bytes are pinned, so nothing can make room; unpin something or raise the limit"
    case .tooLarge(let bytes, let limit): "\(bytes) bytes are more than the \(limit) that may be stored at once"
    case .damaged(let what): "\(what)"
    case .closed: "the store was closed; open it again"
    case .other(let words): words
    }
  }
}

/// How many kinds of trouble the file layer tells apart.
extension StoreError {
  init(_ fault: FileFault, _ phase: Phase) {
    let cause: Cause
    if fault.isNoSpace {
      cause = .noSpace
    } else if fault.isNotPermitted {
      cause = .notPermitted
    } else {
      cause = .other("\(fault.operation) failed: \(fault.words)")
    }
    self.init(fault.path, phase, cause)
  }
}

import Foundation

/// How a file is fetched: how often to try again, and how long to wait in between.
public struct Fetch: Hashable, Sendable {
  /// How many attempts without a single new byte are made before giving up.
  public var attempts = 6
  /// The wait before the second attempt; it doubles from then on, up to a minute.
  public var patience: Duration = .seconds(1)
  /// How long a server may be silent.
  public var silence: Duration = .seconds(60)

  /// The usual patience.
  public init() {}

  /// Where a fetch is.
  public struct Progress: Sendable {
    /// The file's name.
    public let file: String
    /// Its place among the files to fetch, from 1, and how many there are.
    public let position: (index: Int, count: Int)
    /// Bytes on the disk so far.
    public let received: Int
    /// Bytes in all; `nil` where that is not known.
    public let total: Int?
    /// What is being done.
    public let phase: Phase
  }

  /// What a fetch is doing.
  public enum Phase: Hashable, Sendable {
    /// Bytes are coming.
    case receiving
    /// An attempt failed, the next one comes after a wait.
    case waiting(seconds: Double, because: String)
    /// The checksum is being worked out.
    case checking
    /// The file is whole and right.
    case done
    /// The file was there already, whole and right.
    case wasHere
  }

  /// Hears where a fetch is, several times a second; called from any thread, one call at a time.
  public typealias Listener = @Sendable (Progress) -> Void
}

extension Library {
  /// Fetches the files of `entry` that are not yet in the cache, going on from what an earlier fetch left; returns their folder.
  ///
  /// A cancelled task stops the fetch and keeps what came so far.
  ///
  /// - Throws: ``LibraryError`` that says which file, why, and what was kept.
  public func fetch(
    _ entry: Catalogue.Entry, with settings: Fetch = Fetch(), progress: @escaping Fetch.Listener = { _ in }
  ) async throws(LibraryError) -> String {
    let folder = cache + "/" + entry.name
    try DiskFile.makeFolder(folder)
    for (index, file) in entry.remote.enumerated() {
      let download = Download(
        file: file, path: folder + "/" + file.name, position: (index + 1, entry.remote.count), settings: settings,
        listener: progress)
      try await download.run()
    }
    return folder
  }
}

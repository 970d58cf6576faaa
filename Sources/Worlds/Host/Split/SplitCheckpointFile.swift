import MurmurSplit
import MurmurStorage

/// The file in which a device keeps its units between two lives.
public struct SplitCheckpointFile: Sendable {
  /// Where it lies.
  public let path: String

  /// The file in a folder.
  public init(folder: String) { path = folder + "/units.checkpoint" }

  /// The bytes that were saved last; `nil` if nothing was.
  ///
  /// - Throws: ``MurmurStorage/FileFault``.
  public func load() throws -> [UInt8]? { try SystemFiles().read(path, limit: SplitCheckpoint.mostBytes) }

  /// Saves: a reader, and whoever is killed meanwhile, finds the bytes from before or these.
  ///
  /// - Throws: ``MurmurStorage/FileFault``.
  public func save(_ bytes: [UInt8]) throws {
    let files = SystemFiles()
    try files.write(bytes, to: path + ".new", sync: true)
    try files.rename(path + ".new", to: path)
  }
}

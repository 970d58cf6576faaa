import Foundation
import MurmurHost
import MurmurIdentity
import MurmurWire
import Testing

/// The file that keeps who a peer is.
@Suite struct KeyFileTests {
  /// A folder of its own for each test.
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "murmur-keys-\(ProcessInfo.processInfo.globallyUniqueString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func `a key is made once, for its owner alone, and found again`() throws {
    try inFolder { folder in
      let file = KeyFile(folder + "/key")
      #expect(try file.load() == nil)
      let made = try file.loadOrCreate()
      #expect(try file.loadOrCreate().peerID == made.peerID)
      let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["key"], "nothing else is left")
      #expect(try KeyFile(folder + "/other").loadOrCreate().peerID != made.peerID)
    }
  }

  @Test func `a key that others may read is refused, with the remedy`() throws {
    try inFolder { folder in
      let file = KeyFile(folder + "/key")
      _ = try file.loadOrCreate()
      for mode in [0o644, 0o640, 0o604, 0o660] {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file.path)
        let error = #expect(throws: KeyFileError.self) { try file.loadOrCreate() }
        #expect(error?.description.contains("chmod 600") == true)
      }
      try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: file.path)
      #expect(try file.load() != nil)
    }
  }

  @Test func `what is no key is refused and left alone`() throws {
    try inFolder { folder in
      let file = KeyFile(folder + "/key")
      for content in [Data(), Data("hello".utf8), Data(count: 5_000)] {
        #expect(FileManager.default.createFile(atPath: file.path, contents: content, attributes: [.posixPermissions: 0o600]))
        #expect(throws: KeyFileError.self) { try file.loadOrCreate() }
        #expect(FileManager.default.contents(atPath: file.path) == content)
      }
      #expect(throws: KeyFileError.self) { try KeyFile(folder).loadOrCreate() }
      let missing = #expect(throws: KeyFileError.self) { try KeyFile(folder + "/no/key").loadOrCreate() }
      #expect(missing?.description.contains("make the folder") == true)
    }
  }
}

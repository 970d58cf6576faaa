import Foundation

/// The files the rules read.
struct Repository {
  /// Where the package lies.
  let root: String

  /// The package this test belongs to; `MURMUR_ROOT` names another one.
  static func own() throws -> Repository {
    let named = ProcessInfo.processInfo.environment["MURMUR_ROOT"]
    let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
    let root =
      named
      ?? here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    guard FileManager.default.fileExists(atPath: root + "/Package.swift") else {
      throw Missing("no Package.swift in \(root): set MURMUR_ROOT to the folder of the package")
    }
    return Repository(root: root)
  }

  /// Something the rules need is not there.
  struct Missing: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
  }

  /// The text of a file, named from the root.
  func text(_ path: String) throws -> String {
    guard let data = FileManager.default.contents(atPath: root + "/" + path) else { throw Missing("there is no \(path)") }
    return String(decoding: data, as: UTF8.self)
  }

  func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

  /// The files under a folder (or the file itself) with one of the endings, named from the root, sorted; hidden ones are left out.
  func files(_ place: String, _ endings: String...) -> [String] {
    guard exists(place) else { return [] }
    let found = FileManager.default.subpaths(atPath: root + "/" + place) ?? []
    let names = found.isEmpty ? [""] : found
    return
      names
      .filter { !$0.split(separator: "/").contains { $0.hasPrefix(".") || $0 == "__pycache__" } }
      .map { $0.isEmpty ? place : place + "/" + $0 }
      .filter { !exists($0 + "/.") }
      .filter { path in endings.isEmpty || endings.contains { path.hasSuffix("." + $0) } }
      .sorted()
  }

  /// The source files under a folder, read and scanned.
  func sources(_ place: String) throws -> [SourceFile] {
    try files(place, "swift", "c", "h").map { SourceFile($0, try text($0)) }
  }
}

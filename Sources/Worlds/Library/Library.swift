import Foundation
public import MurmurDatasets

/// The data sets of this machine: built in, in the folder `MURMUR_DATA` names, in the cache, or in the operating system's packages.
public struct Library: Sendable {
  /// The folders that are looked in, first to last; each holds one folder per data set.
  public let folders: [String]
  /// Where fetched files go: `murmuration` in `$XDG_CACHE_HOME` or `~/.cache`.
  public let cache: String

  /// The library as the environment describes it: `MURMUR_DATA`, `../shared/data` where that exists, the cache, and the folder
  /// of Debian's data set packages. `given` stands in for this process's environment.
  public init(environment given: [String: String]? = nil) {
    let environment = given ?? ProcessInfo.processInfo.environment
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    let home = value("HOME") ?? NSHomeDirectory()
    cache = (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/murmuration"
    var folders = value("MURMUR_DATA").map { [Library.trimmed($0)] } ?? []
    if DiskFile.isFolder("../shared/data") { folders.append("../shared/data") }
    self.folders = folders + [cache, "/usr/local/share/datasets", "/usr/share/datasets"]
  }

  /// A library over these folders alone; fetched files go to `cache`.
  public init(folders: [String], cache: String) {
    self.folders = folders
    self.cache = cache
  }

  private static func trimmed(_ path: String) -> String { path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path }

  /// What ``list()`` says of one data set.
  public struct Listing: Hashable, Sendable {
    /// The data set.
    public let entry: Catalogue.Entry
    /// The folder its files are in; `nil` if it is built in or not here.
    public let folder: String?
    /// Whether it can be loaded right now.
    public let isHere: Bool
  }

  /// All known data sets, and where they are.
  public func list() -> [Listing] {
    Catalogue.entries.map { entry in
      let folder = folder(of: entry)
      return Listing(entry: entry, folder: folder, isHere: entry.isBuiltIn || folder != nil)
    }
  }

  /// The first folder that holds all files `entry` needs (or its known subset); `nil` if none does.
  public func folder(of entry: Catalogue.Entry) -> String? {
    guard !entry.isBuiltIn else { return nil }
    return folders.lazy.map { $0 + "/" + entry.name }.first { folder in
      if case .tables(let subset?, _) = entry.form, DiskFile.size(folder + "/" + subset) != nil { return true }
      return entry.files.allSatisfy { $0.isOptional || DiskFile.size(folder + "/" + $0.name) != nil }
    }
  }

  /// Loads a data set by its name in the ``Catalogue``, or a file by its path: CSV or TSV, npy, idx (with the files that belong to it),
  /// each also gzipped. `label` names the label column of a table, by name or index.
  ///
  /// - Throws: ``LibraryError`` that says what is wrong and what to do.
  public func load(_ nameOrPath: String, label: String? = nil) throws(LibraryError) -> Dataset {
    var options = CSV.Options()
    if let label { options.label = .named(label) }
    return try load(nameOrPath, options: options)
  }

  /// Loads a data set by its name in the ``Catalogue``, or a file by its path; `options` say how a table is to be read.
  ///
  /// - Throws: ``LibraryError`` that says what is wrong and what to do.
  public func load(_ nameOrPath: String, options: CSV.Options) throws(LibraryError) -> Dataset {
    if let entry = Catalogue.entry(named: nameOrPath) { return try load(entry, options: options) }
    let path = nameOrPath.hasPrefix("~/") ? NSHomeDirectory() + nameOrPath.dropFirst() : nameOrPath
    for candidate in [path] + (path.hasPrefix("/") ? [] : folders.map { $0 + "/" + path }) {
      if DiskFile.isFolder(candidate) { return try Images.load(folder: candidate, name: Library.stem(candidate), writers: true) }
      if DiskFile.size(candidate) != nil { return try FileLoader(path: candidate, options: options).load() }
    }
    if nameOrPath.contains("/") || nameOrPath.contains(".") {
      throw .file(path: nameOrPath, problem: "there is no such file", advice: "check the path")
    }
    throw .unknown(name: nameOrPath, known: Catalogue.entries.map(\.name), nearest: Catalogue.nearest(to: nameOrPath))
  }

  private func load(_ entry: Catalogue.Entry, options: CSV.Options) throws(LibraryError) -> Dataset {
    if entry.isBuiltIn { return Digits.load() }
    guard let folder = folder(of: entry) else {
      throw .notHere(name: entry.name, looked: folders.map { $0 + "/" + entry.name })
    }
    var dataset: Dataset
    switch entry.form {
    case .builtIn: return Digits.load()
    case .images(let writers): dataset = try Images.load(folder: folder, name: entry.name, writers: writers)
    case .tables(let subset, let header):
      if let subset, DiskFile.size(folder + "/" + subset) != nil {
        dataset = try FileLoader(path: folder + "/" + subset, options: options).load()
      } else {
        var options = options
        options.rowLimit = options.rowLimit ?? entry.rowLimit
        options.header = header
        if !header, options.label == .guessed { options.label = .named("0") }
        dataset = try FileLoader(path: folder + "/" + entry.files[0].name, options: options).load()
      }
    }
    dataset.name = entry.name
    dataset.licence = entry.licence
    return dataset
  }

  /// The last part of a path, without the endings that say how it is stored.
  static func stem(_ path: String) -> String {
    var name = String(path.split(separator: "/").last ?? "data")
    for ending in [".gz", ".csv", ".tsv", ".txt", ".npy", ".idx"]
    where name.lowercased().hasSuffix(ending) && name.count > ending.count {
      name.removeLast(ending.count)
    }
    return name
  }
}

/// The data sets that are known by name: where they come from, what their files are, and how to tell that a copy is right.
public enum Catalogue {
  /// One data set.
  public struct Entry: Hashable, Sendable {
    /// The name it is asked for by; also the folder its files are in.
    public let name: String
    /// What it is, in a few words.
    public let summary: String
    /// Its licence as stated by its source.
    public let licence: String
    /// Its files; none for a data set that is built in.
    public let files: [File]
    /// How many rows are loaded unless more are asked for; `nil` for all.
    public let rowLimit: Int?
    let form: Form

    init(name: String, summary: String, licence: String, files: [File], rowLimit: Int?, form: Form) {
      self.name = name
      self.summary = summary
      self.licence = licence
      self.files = files
      self.rowLimit = rowLimit
      self.form = form
    }

    /// A data set of one's own, to be fetched and verified like the known ones.
    public init(name: String, summary: String, licence: String, files: [File]) {
      self.init(
        name: name, summary: summary, licence: licence, files: files, rowLimit: nil, form: .tables(subset: nil, header: true))
    }

    /// Whether it is part of the program.
    public var isBuiltIn: Bool { form == .builtIn }
    /// The files that can be fetched.
    public var remote: [File] { files.filter { $0.url != nil } }
    /// How many bytes a complete fetch is.
    public var remoteBytes: Int { remote.reduce(0) { $0 + ($1.bytes ?? 0) } }
  }

  /// One file of a data set.
  public struct File: Hashable, Sendable {
    /// Its name in the data set's folder.
    public let name: String
    /// Its size; `nil` where it is not known.
    public let bytes: Int?
    /// What its content must hash to; `nil` where no public figure is known.
    public let checksum: Checksum?
    /// Where it can be fetched; `nil` where it cannot.
    public let url: String?
    /// Whether the data set can be loaded without it.
    public let isOptional: Bool
    /// The same content, compressed anew, as distributions pack it.
    public let repacked: Repacked?

    /// What the same content is when it was compressed anew.
    public struct Repacked: Hashable, Sendable {
      /// Its size.
      public let bytes: Int
      /// What it must hash to.
      public let checksum: Checksum

      /// The same content in other bytes.
      public init(bytes: Int, checksum: Checksum) {
        self.bytes = bytes
        self.checksum = checksum
      }
    }

    /// A file of a data set.
    public init(
      _ name: String, bytes: Int? = nil, checksum: Checksum? = nil, url: String? = nil, isOptional: Bool = false,
      repacked: Repacked? = nil
    ) {
      self.name = name
      self.bytes = bytes
      self.checksum = checksum
      self.url = url
      self.isOptional = isOptional
      self.repacked = repacked
    }
  }

  enum Form: Hashable, Sendable { case builtIn, images(writers: Bool), tables(subset: String?, header: Bool) }

  /// All entries, in the order in which they are listed.
  public static let entries = [digits, mnist, fashionMNIST, hepmass, higgs]

  /// The entry with that name, in any case; `nil` if there is none.
  public static func entry(named name: String) -> Entry? { entries.first { $0.name == name.lowercased() } }

  /// The known name that is nearest to `name`, if any is near.
  public static func nearest(to name: String) -> String? {
    let best = entries.map { ($0.name, distance($0.name, name.lowercased())) }.min { $0.1 < $1.1 }
    return best.flatMap { $0.1 <= max(2, $0.0.count / 2) ? $0.0 : nil }
  }

  /// How many letters have to be put in, taken out or changed (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right.prefix(64))
    var row = Array(0...right.count)
    for (i, a) in left.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in right.enumerated() {
        (diagonal, row[j + 1]) = (row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (a == b ? 0 : 1)))
      }
    }
    return row[right.count]
  }
}

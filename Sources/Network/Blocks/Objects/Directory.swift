public import MurmurWire

/// A directory of a few entries: a dag-pb node whose links have names. Source: ipfs/specs, "UnixFS".
///
/// Directories that Kubo spreads over several blocks (HAMT shards) are refused by name.
public struct Directory: Hashable, Sendable {
  /// The entries, in the order of the block.
  public let entries: [Entry]

  /// One entry.
  public struct Entry: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// What it names.
    public let cid: CID
    /// Bytes of all blocks below it.
    public let totalBytes: UInt64
  }

  /// Reads a directory; throws for files, symbolic links, shards and names that are no text.
  public init(decoding block: Block) throws(WireError) {
    guard block.cid.codec == .dagPB else { throw WireError(Self.what, "\(block.cid) holds plain bytes; it is a file") }
    let bytes = block.bytes
    guard bytes.count <= Block.mostBytes else {
      throw WireError(Self.what, "has \(bytes.count) bytes; at most \(Block.mostBytes)")
    }
    try ProtobufScan.bound(
      bytes[...], what: Self.what, fields: DAGNode.mostLinks + 1, counting: [(1, 1), (2, DAGNode.mostLinks)])
    let node = try Murmur_Dagpb_Node(wire: bytes, what: Self.what, depth: 3)
    guard node.hasData else { throw WireError(Self.what, "has no UnixFS data") }
    let data = node.data.array
    try ProtobufScan.bound(data[...], what: "UnixFS data", fields: DAGNode.mostLinks + 8)
    let unixfs = try Murmur_Unixfs_Data(wire: data, what: "UnixFS data", depth: 3)
    switch unixfs.kind {
    case .directory where unixfs.hasKind: break
    case .hamtShard:
      throw WireError(
        Self.what, "\(block.cid) is a directory in shards (HAMT), which is not supported; name the file by its own CID")
    default: throw WireError(Self.what, "\(block.cid) is a \(unixfs.kind), not a directory")
    }
    var entries: [Entry] = []
    for link in node.links {
      guard !link.name.isEmpty, !link.name.contains("/") else {
        throw WireError(Self.what, "an entry has no name, or one with a slash")
      }
      entries.append(Entry(name: link.name, cid: try CID(bytes: link.hash.array), totalBytes: link.tsize))
    }
    self.entries = entries
  }

  /// What `name` names; `nil` if there is no such entry.
  public subscript(name: String) -> CID? { entries.first { $0.name == name }?.cid }

  private static let what = "UnixFS directory"
}

/// A way through directories: a root and names, e.g. `/ipfs/bafy…/models/best.safetensors`.
public struct ObjectPath: Hashable, Sendable, CustomStringConvertible {
  /// Where the way begins.
  public let root: CID
  /// The names on the way.
  public let names: [String]

  /// The most names on a way.
  public static let mostNames = 128

  /// Reads `CID`, `CID/name/…` or `/ipfs/CID/name/…`; throws if the CID is none or there are too many names.
  public init(parsing text: some StringProtocol) throws(WireError) {
    var parts = text.split(separator: "/" as Character).map { String($0) }
    if text.hasPrefix("/"), parts.first == "ipfs" { parts.removeFirst() }
    guard let first = parts.first else { throw WireError("IPFS path", "is empty; give a CID, or /ipfs/CID/name") }
    guard parts.count <= ObjectPath.mostNames else { throw WireError("IPFS path", "has more than \(ObjectPath.mostNames) names") }
    root = try CID(parsing: first)
    names = Array(parts.dropFirst())
  }

  /// A way.
  public init(_ root: CID, _ names: [String] = []) {
    self.root = root
    self.names = names
  }

  /// The rest of the way after its first step: `block` is the root's. Throws if that is no directory or has no such entry.
  public func step(through block: Block) throws(WireError) -> ObjectPath {
    guard let name = names.first else { return self }
    guard let cid = try Directory(decoding: block)[name] else {
      throw WireError("IPFS path", "directory \(root) has no entry \"\(name)\"")
    }
    return ObjectPath(cid, Array(names.dropFirst()))
  }

  /// The way as `/ipfs/…`.
  public var description: String { (["/ipfs", root.description] + names).joined(separator: "/") }
}

public import MurmurWire

/// An inner node of a file's DAG: links to its parts, in order.
///
/// A dag-pb node whose data is a UnixFS file. Encoding follows Kubo to the byte, since a byte more is another CID: links before
/// data, an empty name in each link, block sizes unpacked. Sources: IPLD dag-pb; ipfs/specs, "UnixFS".
public struct DAGNode: Hashable, Sendable {
  /// The parts, in the order of the file.
  public var links: [Link]

  /// One part of a file.
  public struct Link: Hashable, Sendable {
    /// The child's name.
    public var cid: CID
    /// Bytes of the file below this link.
    public var fileBytes: UInt64
    /// Bytes of all blocks below this link, the child's included ("Tsize").
    public var totalBytes: UInt64

    /// A link to a part.
    public init(_ cid: CID, fileBytes: UInt64, totalBytes: UInt64) {
      self.cid = cid
      self.fileBytes = fileBytes
      self.totalBytes = totalBytes
    }
  }

  /// The most links that are read from one node.
  public static let mostLinks = 16_384

  /// A node with these links.
  public init(links: [Link]) { self.links = links }

  /// Bytes of the file below this node.
  public var fileBytes: UInt64 { links.reduce(0) { $0 &+ $1.fileBytes } }

  /// The node as a block. With `version0` the links to dag-pb blocks are identifiers of version 0, as in what Kubo adds by default.
  public func block(version0: Bool = false) -> Block {
    var file = Murmur_Unixfs_Data()
    file.kind = .file
    file.filesize = fileBytes
    file.blocksizes = links.map(\.fileBytes)
    var linkPart = Murmur_Dagpb_Node()
    linkPart.links = links.map { link in
      var encoded = Murmur_Dagpb_Link()
      encoded.hash = .init(wire: version0 && link.cid.codec == .dagPB ? link.cid.bytesOfVersion0 : link.cid.bytes)
      encoded.name = ""
      encoded.tsize = link.totalBytes
      return encoded
    }
    var dataPart = Murmur_Dagpb_Node()
    dataPart.data = .init(wire: file.wire)
    // Concatenating two protobuf messages merges them; that puts the links first, as dag-pb wants it.
    return Block(linkPart.wire + dataPart.wire, codec: .dagPB)
  }

  /// A part of a file as a dag-pb block of its own, without links: what Kubo makes of each chunk unless told to leave leaves raw.
  static func leaf(_ bytes: [UInt8]) -> Block {
    var file = Murmur_Unixfs_Data()
    file.kind = .file
    if !bytes.isEmpty { file.data = .init(wire: bytes) }
    file.filesize = UInt64(bytes.count)
    var node = Murmur_Dagpb_Node()
    node.data = .init(wire: file.wire)
    return Block(node.wire, codec: .dagPB)
  }

  /// Reads a file node; throws for other kinds (directories, symbolic links), for sizes that do not fit the links and for names.
  ///
  /// A node may also carry file bytes itself; those come before the links' parts and are returned beside the node.
  public static func decode(_ bytes: [UInt8]) throws(WireError) -> (node: DAGNode, inline: [UInt8]) {
    guard bytes.count <= Block.mostBytes else { throw WireError(what, "has \(bytes.count) bytes; at most \(Block.mostBytes)") }
    try ProtobufScan.bound(bytes[...], what: what, fields: mostLinks + 1, counting: [(1, 1), (2, mostLinks)])
    let node = try Murmur_Dagpb_Node(wire: bytes, what: what, depth: 3)
    guard node.hasData else { throw WireError(what, "has no UnixFS data, so it is no file") }
    let data = node.data.array
    try ProtobufScan.bound(data[...], what: "UnixFS data", fields: mostLinks + 8)
    let file = try Murmur_Unixfs_Data(wire: data, what: "UnixFS data", depth: 3)
    guard file.kind == .file || file.kind == .raw, file.hasKind else {
      throw WireError("UnixFS data", "describes a \(file.kind), not a file; fetch the file inside it by its own CID")
    }
    guard file.blocksizes.count == node.links.count else {
      throw WireError("UnixFS data", "names \(file.blocksizes.count) block sizes for \(node.links.count) links")
    }
    var links: [Link] = []
    links.reserveCapacity(node.links.count)
    var total = UInt64(file.data.count)
    for (link, size) in zip(node.links, file.blocksizes) {
      guard link.name.isEmpty else { throw WireError(what, "a link inside a file has a name") }
      let (sum, overflow) = total.addingReportingOverflow(size)
      guard !overflow else { throw WireError("UnixFS data", "its block sizes add up to more than 2⁶⁴ bytes") }
      total = sum
      links.append(Link(try CID(bytes: link.hash.array), fileBytes: size, totalBytes: link.tsize))
    }
    guard total == file.filesize else {
      throw WireError("UnixFS data", "says the file has \(file.filesize) bytes, its parts have \(total)")
    }
    return (DAGNode(links: links), file.data.array)
  }

  private static let what = "dag-pb node"
}

public import MurmurWire

/// Bytes of any length as a DAG of blocks, with one name.
///
/// The same CIDs as `ipfs add --cid-version=1`: chunks of 256 KiB as raw leaves, under balanced nodes of at most 174 links; what
/// fits one chunk is its leaf and nothing else. So any IPFS node can read a model, and a model that fits a chunk is one block.
public enum Object {
  /// Bytes per leaf.
  public static let chunkBytes = 256 << 10
  /// Links per inner node.
  public static let linksPerNode = 174
  /// The most bytes ``read(_:from:)`` puts together: 4 GiB.
  public static let mostBytes = 4 << 30
  /// The fewest bytes a part has on average in an object that ``read(_:from:limit:)`` puts together; the first ``sparedParts`` may be
  /// shorter. One block may stand for very many parts, and each takes time.
  public static let leastPart = 256
  /// See ``leastPart``.
  public static let sparedParts = 65_536

  /// An object's name and its blocks.
  public struct Built: Sendable {
    /// The object's name: the last block's.
    public let root: CID
    /// All blocks, each once, children before parents, the root last.
    public let blocks: [Block]

    /// An object of blocks that were built before.
    package init(root: CID, blocks: [Block]) {
      self.root = root
      self.blocks = blocks
    }
  }

  /// Cuts `bytes` into blocks. One chunk shares the storage of `bytes`.
  public static func build(_ bytes: [UInt8]) -> Built { build(bytes, chunk: chunkBytes) }

  /// ``build(_:)`` with chunks of another size, for the specification's test vectors.
  package static func build(_ bytes: [UInt8], chunk: Int) -> Built {
    guard bytes.count > chunk else {
      let leaf = Block(bytes)
      return Built(root: leaf.cid, blocks: [leaf])
    }
    var blocks: [Block] = []
    var seen: Set<CID> = []
    func keep(_ block: Block) { if seen.insert(block.cid).inserted { blocks.append(block) } }
    var level: [DAGNode.Link] = []
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      let leaf = Block(Array(bytes[start..<min(start + chunk, bytes.count)]))
      keep(leaf)
      level.append(DAGNode.Link(leaf.cid, fileBytes: UInt64(leaf.bytes.count), totalBytes: UInt64(leaf.bytes.count)))
    }
    while level.count > 1 {
      var above: [DAGNode.Link] = []
      for start in stride(from: 0, to: level.count, by: linksPerNode) {
        let node = DAGNode(links: Array(level[start..<min(start + linksPerNode, level.count)]))
        let block = node.block()
        keep(block)
        let total = node.links.reduce(UInt64(block.bytes.count)) { $0 + $1.totalBytes }
        above.append(DAGNode.Link(block.cid, fileBytes: node.fileBytes, totalBytes: total))
      }
      level = above
    }
    return Built(root: level[0].cid, blocks: blocks)
  }

  /// The children that a block names, in order and with repetitions; none for leaves and for blocks that are no file node.
  public static func children(of block: Block) -> [CID] {
    guard block.cid.codec == .dagPB else { return [] }
    do { return try DAGNode.decode(block.bytes).node.links.map(\.cid) } catch { return [] }
  }

  /// Puts the object named `root` together from blocks in `store`. One-block objects share the block's storage.
  ///
  /// Throws ``ObjectError`` if a block is missing, is no file node, or its size is not what its parent says.
  /// An object of more than `limit` bytes is refused before any memory is taken for it, and one of too many parts while it is read.
  public static func read(
    _ root: CID, from store: borrowing BlockStore, limit: Int = mostBytes
  ) throws(ObjectError) -> [UInt8] {
    guard let first = store.peek(root) else { throw .missing(root) }
    guard root.codec == .dagPB else { return first.bytes }
    let (top, inline) = try decode(first)
    let size = top.fileBytes + UInt64(inline.count)
    guard size <= UInt64(limit) else { throw .tooLarge(root, bytes: size, limit: limit) }
    var out: [UInt8] = []
    // The size is the sender's word until the blocks are read, so it bounds the reservation only up to what the store holds.
    out.reserveCapacity(min(Int(size), store.byteCount))
    out += inline
    var rest = Array(top.links.reversed())
    var parts = sparedParts + Int(size) / leastPart
    while let link = rest.popLast() {
      parts -= 1
      guard parts >= 0 else { throw .tooManyParts(root) }
      guard let block = store.peek(link.cid) else { throw .missing(link.cid) }
      guard block.cid.codec == .dagPB else {
        guard UInt64(block.bytes.count) == link.fileBytes, link.fileBytes > 0 else {
          throw .wrongSize(link.cid, says: link.fileBytes)
        }
        out += block.bytes
        guard out.count <= Int(size) else { throw .wrongSize(root, says: size) }
        continue
      }
      let (node, inline) = try decode(block)
      guard node.fileBytes + UInt64(inline.count) == link.fileBytes, link.fileBytes > 0 else {
        throw .wrongSize(link.cid, says: link.fileBytes)
      }
      out += inline
      rest += node.links.reversed()
    }
    guard out.count == Int(size) else { throw .wrongSize(root, says: size) }
    return out
  }

  /// The bytes of the object below `block`, by its own word; none if it is no file node.
  static func claimedBytes(of block: Block) -> UInt64 {
    guard block.cid.codec == .dagPB else { return UInt64(block.bytes.count) }
    do {
      let (node, inline) = try DAGNode.decode(block.bytes)
      return node.fileBytes + UInt64(inline.count)
    } catch { return 0 }
  }

  private static func decode(_ block: Block) throws(ObjectError) -> (DAGNode, [UInt8]) {
    do { return try DAGNode.decode(block.bytes) } catch { throw .unreadable(block.cid, error) }
  }
}

/// Why an object could not be put together.
public enum ObjectError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A block of the object is not in the store; fetch it.
  case missing(CID)
  /// A block is not a file node.
  case unreadable(CID, WireError)
  /// A block has another size than its parent says.
  case wrongSize(CID, says: UInt64)
  /// The object has more bytes than the reader allows.
  case tooLarge(CID, bytes: UInt64, limit: Int)
  /// The object is cut into parts of too few bytes.
  case tooManyParts(CID)

  /// One sentence.
  public var description: String {
    switch self {
    case .missing(let cid): "block \(cid) is not in the store; fetch the object again"
    case .unreadable(let cid, let error): "block \(cid) is not a part of a file: \(error)"
    case .wrongSize(let cid, let size): "block \(cid) does not have the \(size) bytes it is said to have"
    case .tooLarge(let cid, let bytes, let limit): "object \(cid) has \(bytes) bytes; at most \(limit) are put together"
    case .tooManyParts(let cid):
      "object \(cid) is cut into parts of less than \(Object.leastPart) bytes; add it again with larger ones"
    }
  }
}

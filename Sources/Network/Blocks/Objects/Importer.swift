public import MurmurWire

/// A file of any length into blocks, as its bytes come: the way `ipfs add` cuts it.
///
/// Chunks of fixed size become leaves, every 174 links become a node, children are given out before their parents. Memory holds one
/// chunk and at most 174 links a level, whatever the file's length. The same bytes in the same ``Format`` give the same name however
/// they were handed over; ``Object/build(_:)`` gives it for bytes in memory.
public struct Importer: Sendable {
  /// How a file is cut. All of it is part of the name.
  public struct Format: Hashable, Sendable {
    /// Bytes per leaf.
    public var chunkBytes = Object.chunkBytes
    /// Links per node.
    public var linksPerNode = Object.linksPerNode
    /// Whether leaves are the bytes themselves, or dag-pb nodes around them.
    public var rawLeaves: Bool
    /// Whether dag-pb blocks are named by identifiers of version 0 (`Qm…`).
    public var version0: Bool

    /// What `ipfs add --cid-version=1` does, and what Murmuration does everywhere.
    public static let version1 = Format(rawLeaves: true, version0: false)
    /// What `ipfs add` does by default.
    public static let kubo = Format(rawLeaves: false, version0: true)

    /// A way to cut files.
    public init(rawLeaves: Bool, version0: Bool) {
      self.rawLeaves = rawLeaves
      self.version0 = version0
    }
  }

  /// What a file became.
  public struct Imported: Hashable, Sendable {
    /// The file's name.
    public let root: CID
    /// Its length.
    public let fileBytes: UInt64
    /// The bytes of its blocks, repetitions included.
    public let totalBytes: UInt64
    /// Whether the name is given as one of version 0.
    public let version0: Bool

    /// The name as Kubo prints it.
    public var name: String { (version0 ? root.descriptionOfVersion0 : nil) ?? root.description }
  }

  /// How the file is cut.
  public let format: Format
  private var chunk: [UInt8] = []
  /// Links that have no node yet, leaves first.
  private var levels: [[DAGNode.Link]] = [[]]

  /// How many links wait for their node: at most ``Format/linksPerNode`` a level.
  public var waiting: Int { levels.reduce(0) { $0 + $1.count } }

  /// An importer at the beginning of a file.
  public init(_ format: Format = .version1) {
    precondition((1...Block.mostBytes - 64).contains(format.chunkBytes), "chunks of \(format.chunkBytes) bytes do not fit blocks")
    precondition((2...DAGNode.mostLinks).contains(format.linksPerNode), "nodes of \(format.linksPerNode) links cannot be read")
    self.format = format
  }

  /// Takes the next bytes of the file and gives out the blocks that are complete.
  public mutating func append(_ bytes: [UInt8], _ emit: (Block) throws -> Void) rethrows {
    var start = 0
    while start < bytes.count {
      // A full chunk waits for the next byte: a file of one chunk is its leaf and nothing else.
      if chunk.count == format.chunkBytes { try flush(emit) }
      if chunk.isEmpty { chunk.reserveCapacity(min(format.chunkBytes, max(bytes.count - start, 4_096))) }
      let count = min(format.chunkBytes - chunk.count, bytes.count - start)
      chunk += bytes[start..<start + count]
      start += count
    }
  }

  /// Ends the file: gives out the last blocks, the root last of all.
  public mutating func finish(_ emit: (Block) throws -> Void) rethrows -> Imported {
    if !chunk.isEmpty || levels.allSatisfy(\.isEmpty) { try flush(emit) }
    var level = 0
    while level < levels.count - 1 || levels[level].count > 1 {
      try close(level, emit)
      level += 1
    }
    let root = levels[level][0]
    levels = [[]]
    return Imported(root: root.cid, fileBytes: root.fileBytes, totalBytes: root.totalBytes, version0: format.version0)
  }

  private mutating func flush(_ emit: (Block) throws -> Void) rethrows {
    let size = UInt64(chunk.count)
    let leaf = format.rawLeaves ? Block(chunk) : DAGNode.leaf(chunk)
    chunk = []
    try emit(leaf)
    try add(DAGNode.Link(leaf.cid, fileBytes: size, totalBytes: UInt64(leaf.bytes.count)), at: 0, emit)
  }

  private mutating func add(_ link: DAGNode.Link, at level: Int, _ emit: (Block) throws -> Void) rethrows {
    if levels[level].count == format.linksPerNode { try close(level, emit) }
    levels[level].append(link)
  }

  /// Puts a node above the links of a level.
  private mutating func close(_ level: Int, _ emit: (Block) throws -> Void) rethrows {
    let node = DAGNode(links: levels[level])
    levels[level] = []
    let block = node.block(version0: format.version0)
    try emit(block)
    if level + 1 == levels.count { levels.append([]) }
    let total = node.links.reduce(UInt64(block.bytes.count)) { $0 &+ $1.totalBytes }
    try add(DAGNode.Link(block.cid, fileBytes: node.fileBytes, totalBytes: total), at: level + 1, emit)
  }
}

public import MurmurWire

/// A file out of its blocks, in order, whatever its length: the way `ipfs cat` goes.
///
/// It says which block it needs, takes it, and gives out bytes; memory holds one block and the links beside the way down. Every size
/// is compared with what the parent said, so that a file that lies about itself ends in an error, not in other bytes.
///
///     var exporter = Exporter(root)
///     while let cid = exporter.needed { out.write(try exporter.take(store.get(cid))) }
public struct Exporter: Sendable {
  /// The file.
  public let root: CID
  /// Bytes given out so far.
  public private(set) var position: UInt64 = 0
  /// The file's length; `nil` before its first block came.
  public private(set) var fileBytes: UInt64?
  /// What is to come, the next last, and how many bytes each is said to hold (`nil` for the root).
  private var rest: [(cid: CID, fileBytes: UInt64?)]

  /// The most links that wait at a time; a file that needs more is refused.
  public static let mostWaiting = 1 << 18

  /// An exporter at the beginning of the file.
  public init(_ root: CID) {
    self.root = root
    rest = [(root, nil)]
  }

  /// The block that is needed next; `nil` when the file is complete.
  public var needed: CID? { rest.last?.cid }

  /// The blocks that will be needed next, as far as is known: what may be fetched ahead.
  public func upcoming(_ count: Int) -> [CID] { rest.suffix(count).reversed().map(\.cid) }

  /// Takes the ``needed`` block and gives out the bytes of the file that come next; none if the block only names others.
  public mutating func take(_ block: Block) throws(ObjectError) -> [UInt8] {
    guard let next = rest.last else { preconditionFailure("the file is complete") }
    precondition(block.cid == next.cid, "block \(block.cid) was taken where \(next.cid) was needed")
    let (links, bytes) = try Exporter.open(block)
    var size = UInt64(bytes.count)
    for link in links {
      // Decoding saw to it that the sum does not overflow.
      size += link.fileBytes
      guard link.fileBytes > 0 else { throw .wrongSize(link.cid, says: 0) }
    }
    if let said = next.fileBytes, said != size { throw .wrongSize(block.cid, says: said) }
    if fileBytes == nil { fileBytes = size }
    rest.removeLast()
    guard rest.count + links.count <= Exporter.mostWaiting else {
      throw .unreadable(block.cid, WireError("UnixFS file", "more than \(Exporter.mostWaiting) links wait at a time"))
    }
    for link in links.reversed() { rest.append((link.cid, link.fileBytes)) }
    position += UInt64(bytes.count)
    return bytes
  }

  private static func open(_ block: Block) throws(ObjectError) -> ([DAGNode.Link], [UInt8]) {
    guard block.cid.codec == .dagPB else { return ([], block.bytes) }
    do {
      let (node, inline) = try DAGNode.decode(block.bytes)
      return (node.links, inline)
    } catch {
      throw .unreadable(block.cid, error)
    }
  }
}

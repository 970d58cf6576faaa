public import MurmurBlocks
import MurmurIdentity
public import MurmurWire

/// What a peer brings along from an earlier life: everything that its machines are told before they start, and that is not in its session
/// or its rows. A host reads it from its disk; a recording keeps it, so that a replay begins at the same place.
public struct Inheritance: Sendable {
  /// The model to go on from.
  public struct Model: Hashable, Sendable {
    /// Its name.
    public var root: CID
    /// Its file, safetensors.
    public var file: [UInt8]
    /// The cycle it is of.
    public var cycle: UInt32
    /// The optimiser's state (`Collective/optimizerState`); empty if none was kept.
    public var optimizer: [UInt8]

    /// A model with its file.
    public init(root: CID, file: [UInt8], cycle: UInt32, optimizer: [UInt8] = []) {
      self.root = root
      self.file = file
      self.cycle = cycle
      self.optimizer = optimizer
    }
  }

  /// The model to go on from; `nil` at the first start.
  public var model: Model?
  /// What was given to others and taken from them.
  public var credits: [Exchange.Credit]
  /// Blocks on the disk.
  public var belongings: BlockStore.Belongings
  /// Bytes of blocks the peer may keep, and how many of them in memory; without the latter there is no disk.
  public var budget: Int
  /// See ``budget``.
  public var memory: Int?

  /// Nothing but room for `budget` bytes of blocks, of which `memory` in memory if there is a disk.
  public init(budget: Int, memory: Int? = nil) {
    self.budget = budget
    self.memory = memory
    credits = []
    belongings = BlockStore.Belongings()
  }

  /// The block store that this peer begins with.
  public var blockStore: BlockStore {
    memory.map { BlockStore(budget: budget, memory: $0, belongings) } ?? BlockStore(budget: budget)
  }

  /// Everything as bytes.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    out.append(content: model?.root.bytes ?? [])
    if let model {
      out.append(content: model.file)
      out.append(number: Int(model.cycle))
      out.append(content: model.optimizer)
    }
    out.append(number: credits.count)
    for credit in credits {
      out.append(content: credit.peer.bytes)
      out.append(number: max(0, credit.sent))
      out.append(number: max(0, credit.received))
    }
    out.append(number: budget)
    out.append(memory == nil ? 0 : 1)
    if let memory { out.append(number: memory) }
    out.append(number: belongings.pins.count)
    for pin in belongings.pins {
      out.append(text: pin.name)
      out.append(content: pin.root.bytes)
      out.append(pin.isRecursive ? 1 : 0)
    }
    out.append(number: belongings.held.count)
    for held in belongings.held {
      switch held {
      case .node(let block):
        out.append(0)
        out.append(content: block.cid.bytes)
        out.append(content: block.bytes)
      case .leaf(let cid, let size):
        out.append(1)
        out.append(content: cid.bytes)
        out.append(number: size)
      }
    }
    return out
  }

  /// Reads what ``encode()`` wrote; throws on anything else. No number in it makes room for more than there are bytes.
  public init(decoding bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes, "what a peer inherits")
    model = nil
    credits = []
    belongings = BlockStore.Belongings()
    let root = try reader.content(128)
    if !root.isEmpty {
      let file = try reader.content(bytes.count)
      let cycle = UInt32(try reader.number(Int(UInt32.max)))
      model = Model(root: try CID(bytes: root), file: file, cycle: cycle, optimizer: try reader.content(bytes.count))
    }
    for _ in 0..<(try reader.number(bytes.count)) {
      let peer = try reader.peer()
      let sent = try reader.number()
      credits.append(Exchange.Credit(peer: peer, sent: sent, received: try reader.number()))
    }
    budget = try reader.number()
    memory = try reader.byte() == 0 ? nil : try reader.number()
    for _ in 0..<(try reader.number(bytes.count)) {
      let name = try reader.text(4_096)
      let root = try CID(bytes: reader.content(128))
      belongings.pins.append(BlockStore.Pin(name: name, root: root, isRecursive: try reader.byte() != 0))
    }
    for _ in 0..<(try reader.number(bytes.count)) {
      let kind = try reader.byte()
      let cid = try CID(bytes: reader.content(128))
      switch kind {
      case 0:
        guard let block = Block(verifying: cid, bytes: try reader.content(Block.mostBytes)) else {
          throw WireError("what a peer inherits", "block \(cid) is not what it is called")
        }
        belongings.held.append(.node(block))
      case 1: belongings.held.append(.leaf(cid, size: try reader.number(Block.mostBytes)))
      default: throw WireError("what a peer inherits", "a block of kind \(kind) is not known")
      }
    }
    try reader.end()
  }
}

public import MurmurWire

/// The maker's side of a stream: seals one message after the other.
///
/// A writer is its seed and the number of its next message; nothing else has to be kept. Two different messages must never be sealed under one
/// number: readers would take the stream for forked. So a number is used up, durably, before its message leaves the device.
public struct StreamWriter: Sendable {
  /// Who may read.
  public let mode: StreamMode
  /// The height of the trees: a tree serves 2ʰ messages.
  public let height: Int
  /// The root of the first tree: what the stream is known by.
  public let channel: Digest
  /// The secret that readers of a restricted stream share; the next message is sealed under it.
  public var side: SideKey?
  private let seed: StreamSeed
  private var tree: (number: UInt32, keys: KeyTree)
  private var next: (root: Digest, chain: Digest)
  /// Where the next message goes: who is given this can read from here on.
  public private(set) var pointer: StreamPointer

  /// The writer of a seed's stream, about to seal message `number`; 2ʰ key pairs are made for each of up to three trees.
  public init(seed: StreamSeed, mode: StreamMode, height: Int = 5, number: UInt64 = 0, side: SideKey? = nil) {
    precondition((0...StreamLimits.height).contains(height), "trees have a height of 0 to \(StreamLimits.height)")
    precondition(StreamPointer.isPlace(number, height), "a stream has fewer than 2³² trees")
    (self.seed, self.mode, self.height, self.side) = (seed, mode, height, side)
    let first = KeyTree(seed, 0, height: height)
    channel = first.root
    let place = UInt32(number >> UInt64(height))
    tree = (place, place == 0 ? first : KeyTree(seed, place, height: height))
    next = StreamWriter.next(after: place, of: seed, mode, height)
    var chain = mode.isMasked ? seed.chain(place) : Digest(0, 0, 0, 0)
    if mode.isMasked { for _ in 0..<(number & (1 << UInt64(height) - 1)) { chain = StreamKeys.next(chain) } }
    pointer = StreamPointer(mode: mode, height: height, number: number, root: tree.keys.root, chain: chain)
    pointer.learn(next.root, next.chain)
  }

  private static func next(
    after tree: UInt32, of seed: StreamSeed, _ mode: StreamMode, _ height: Int
  ) -> (root: Digest, chain: Digest) {
    let root = KeyTree(seed, tree + 1, height: height).root
    return (root, mode.isMasked ? seed.chain(tree + 1) : Digest(0, 0, 0, 0))
  }

  /// Seals the next message and moves on.
  public mutating func seal(_ payload: [UInt8], milliseconds: UInt64) -> SealedMessage {
    precondition(payload.count <= StreamLimits.payload, "a payload has at most \(StreamLimits.payload) bytes")
    precondition(mode != .restricted || side != nil, "a restricted stream needs a side key")
    let message = StreamMessage(number: pointer.number, milliseconds: milliseconds, payload: payload)
    let sealed = MessageCoding.seal(
      message, at: pointer, side: side, key: seed.leaf(tree.number, pointer.leaf), siblings: tree.keys.siblings(of: pointer.leaf),
      next: next)
    guard let after = pointer.following() else { preconditionFailure("the writer knows the next tree") }
    pointer = after
    if pointer.tree != UInt64(tree.number) {
      tree = (tree.number + 1, KeyTree(seed, tree.number + 1, height: height))
      next = StreamWriter.next(after: tree.number, of: seed, mode, height)
    }
    pointer.learn(next.root, next.chain)
    return sealed
  }

  /// A head that leads readers of `session` to the next message, signed with the stream's very first key; `nil` for a private stream,
  /// whose pointer is handed out instead.
  public func head(_ sensor: Sensor, session: String, milliseconds: UInt64) -> SealedHead? {
    guard mode != .private else { return nil }
    var pointer = pointer
    // A reader learns of the next tree from the message itself.
    pointer.forgetNext()
    let head = StreamHead(sensor: sensor, channel: channel, pointer: pointer, milliseconds: milliseconds)
    let keys = tree.number == 0 ? tree.keys : KeyTree(seed, 0, height: height)
    return HeadCoding.seal(head, session: session, side: side, key: seed.leaf(0, 0), siblings: keys.siblings(of: 0))
  }
}

internal import MurmurBlocks
internal import MurmurCollective
internal import MurmurIdentity
internal import MurmurMachines
public import MurmurWire

/// A hash over everything a peer wanted done so far: two runs with the same digest did the same, and the first step at which digests
/// differ is where they parted.
public struct EffectsDigest: Hashable, Sendable {
  /// The hash over all steps so far.
  public private(set) var value = Digest(0, 0, 0, 0)

  /// The digest of a peer that wanted nothing yet.
  public init() {}

  /// Takes in what one step wanted, in order. A step that wanted nothing changes nothing.
  public mutating func add(_ effects: [Peer.Effect]) {
    guard !effects.isEmpty else { return }
    var bytes = value.bytes
    for effect in effects { effect.append(to: &bytes) }
    value = .sha256(of: bytes)
  }
}

extension Peer.Effect {
  /// Appends what tells the effect from others: messages as they stand on the wire, jobs by what they compute with.
  fileprivate func append(to out: inout [UInt8]) {
    switch self {
    case .send(let peer, let message):
      out.append(0)
      out.append(content: peer.bytes)
      message.append(to: &out)
    case .arm(let timer, let at):
      out.append(1)
      out.append(timer.code)
      out.append(word: UInt64(bitPattern: at.nanoseconds))
    case .compute(let work):
      out.append(2)
      work.append(to: &out)
    case .note(let event):
      out.append(3)
      out.append(text: "\(event)")
    case .disk(let errand):
      out.append(4)
      errand.append(to: &out)
    case .answer(let answer):
      out.append(5)
      out.append(text: "\(answer)")
    case .disconnect(let peer):
      out.append(6)
      out.append(content: peer.bytes)
    case .connect(let peer, let record):
      out.append(7)
      out.append(content: peer.bytes)
      out.append(content: record)
    }
  }
}

extension Work {
  fileprivate func append(to out: inout [UInt8]) {
    out.append(content: Digest.sha256(of: parametersAsBytes).bytes)
    out.append(number: models.count)
    for model in models { out.append(content: model.root.bytes) }
    out.append(number: epochs)
    out.append(number: batch)
    out.append(word: UInt64(rate.bitPattern))
    out.append(word: shuffle)
    out.append(number: weight)
    for (key, value) in stamp.sorted(by: { $0.key < $1.key }) {
      out.append(text: key)
      out.append(text: value)
    }
  }
}

extension BlockStore.Errand {
  fileprivate func append(to out: inout [UInt8]) {
    switch self {
    case .store(let block):
      out.append(0)
      out.append(content: block.cid.bytes)
    case .load(let cid):
      out.append(1)
      out.append(content: cid.bytes)
    case .discard(let cid):
      out.append(2)
      out.append(content: cid.bytes)
    case .pin(let pin):
      out.append(3)
      pin.append(to: &out)
    case .unpin(let pin):
      out.append(4)
      pin.append(to: &out)
    }
  }
}

extension BlockStore.Pin {
  fileprivate func append(to out: inout [UInt8]) {
    out.append(text: name)
    out.append(content: root.bytes)
    out.append(isRecursive ? 1 : 0)
  }
}

internal import MurmurBlocks
internal import MurmurCollective
internal import MurmurIdentity
internal import MurmurPubSub
public import MurmurWire

/// The inputs of a peer as bytes, for recordings: messages as they stand on the wire, results of jobs by their content.
///
/// A host records what it gives to the machine *after* it read it from the wire, so that both hear the same. Values that never were on
/// a wire may say more than their encoding (an announcement's time to the nanosecond); those come back rounded.
extension Peer.Input {
  /// The most bytes an encoded input may have: 256 MiB.
  public static let mostBytes = 256 << 20

  /// The input as bytes; ``Peer/input(decoding:)`` reads them.
  public func encode() -> [UInt8] {
    var out: [UInt8] = []
    switch self {
    case .started: out.append(0)
    case .connected(let peer, let known):
      out.append(1)
      out.append(content: peer.bytes)
      known.append(to: &out)
    case .disconnected(let peer):
      out.append(2)
      out.append(content: peer.bytes)
    case .received(let peer, let message):
      out.append(3)
      out.append(content: peer.bytes)
      message.append(to: &out)
    case .fired(let timer):
      out.append(4)
      out.append(timer.code)
    case .worked(let result):
      out.append(5)
      out.append(content: result.encode())
    case .disk(let outcome):
      out.append(6)
      outcome.append(to: &out)
    case .recorded(let peer, let record):
      out.append(9)
      out.append(content: peer.bytes)
      out.append(content: record)
    case .asked(let ask):
      out.append(8)
      ask.append(to: &out)
    case .written(let peer, let bytes):
      out.append(7)
      out.append(content: peer.bytes)
      out.append(number: max(0, bytes))
    }
    return out
  }
}

extension Peer {
  /// Reads what ``Input/encode()`` wrote for a peer of this session; throws on anything else.
  public func input(decoding bytes: [UInt8]) throws(WireError) -> Input {
    var reader = ByteReader(bytes, "recorded input")
    let input: Input
    switch try reader.byte() {
    case 0: input = .started
    case 1: input = .connected(try reader.peer(), try Acquaintance(&reader))
    case 2: input = .disconnected(try reader.peer())
    case 3: input = .received(from: try reader.peer(), try Message(&reader))
    case 4: input = .fired(try .init(code: try reader.byte()))
    case 5: input = .worked(try collective.result(decoding: reader.content(Input.mostBytes)))
    case 6: input = .disk(try BlockStore.Outcome(&reader))
    case 7: input = .written(to: try reader.peer(), bytes: try reader.number())
    case 8: input = .asked(try Ask(&reader))
    case 9: input = .recorded(try reader.peer(), try reader.content(Input.mostBytes))
    case let code: throw WireError("recorded input", at: 0, "kind \(code) does not exist; a newer version recorded it")
    }
    try reader.end()
    return input
  }
}

extension ByteReader {
  mutating func peer() throws(WireError) -> PeerID { try PeerID(bytes: content(64)) }
}

extension Peer.Message {
  /// Appends the protocol's number and the message as it stands on the wire.
  func append(to out: inout [UInt8]) {
    switch self {
    case .collective(let message):
      out.append(0)
      out.append(content: message.encode())
    case .blocks(let message):
      out.append(1)
      out.append(content: message.encode())
    case .pubsub(let message):
      out.append(2)
      out.append(content: message.encode())
    }
  }

  fileprivate init(_ reader: inout ByteReader) throws(WireError) {
    let code = try reader.byte()
    let bytes = try reader.content(Peer.Input.mostBytes)
    switch code {
    case 0: self = .collective(try CollectiveMessage.decode(bytes))
    case 1: self = .blocks(try BitswapMessage.decode(bytes))
    case 2: self = .pubsub(try RPC.decode(bytes))
    default: throw WireError("recorded input", "protocol \(code) does not exist; a newer version recorded it")
    }
  }
}

extension Peer.Timer {
  /// A number for each timer; numbers are never given again.
  var code: UInt8 {
    switch self {
    case .collective(.cycle): 0
    case .collective(.answers): 1
    case .collective(.models): 2
    case .blocks(.patience): 16
    case .blocks(.service): 17
    case .pubsub(.heartbeat): 32
    }
  }

  init(code: UInt8) throws(WireError) {
    switch code {
    case 0: self = .collective(.cycle)
    case 1: self = .collective(.answers)
    case 2: self = .collective(.models)
    case 16: self = .blocks(.patience)
    case 17: self = .blocks(.service)
    case 32: self = .pubsub(.heartbeat)
    default: throw WireError("recorded input", "timer \(code) does not exist; a newer version recorded it")
    }
  }
}

extension BlockStore.Outcome {
  fileprivate func append(to out: inout [UInt8]) {
    switch self {
    case .stored(let cid):
      out.append(0)
      out.append(content: cid.bytes)
    case .notStored(let cid):
      out.append(1)
      out.append(content: cid.bytes)
    case .loaded(let cid, let block):
      out.append(block == nil ? 2 : 3)
      out.append(content: cid.bytes)
      if let block { out.append(content: block.bytes) }
    }
  }

  fileprivate init(_ reader: inout ByteReader) throws(WireError) {
    let code = try reader.byte()
    let cid = try CID(bytes: reader.content(64))
    switch code {
    case 0: self = .stored(cid)
    case 1: self = .notStored(cid)
    case 2: self = .loaded(cid, nil)
    case 3:
      guard let block = Block(verifying: cid, bytes: try reader.content(Block.mostBytes)) else {
        throw WireError("recorded input", "block \(cid) is not what it is called")
      }
      self = .loaded(cid, block)
    default: throw WireError("recorded input", "outcome \(code) does not exist; a newer version recorded it")
    }
  }
}

internal import MurmurBlocks
internal import MurmurCollective
internal import MurmurCompute
internal import MurmurIdentity
internal import MurmurMachines
internal import MurmurPubSub
internal import MurmurWire

/// What is asked of a peer beside its session, as bytes for a recording.
extension Peer.Ask {
  func append(to out: inout [UInt8]) {
    switch self {
    case .fetch(let root, let providers, let deadline, let keeping):
      out.append(0)
      out.append(content: root.bytes)
      out.append(number: providers.count)
      for peer in providers { out.append(content: peer.bytes) }
      out.append(word: UInt64(bitPattern: (deadline ?? .never).nanoseconds))
      out.append(keeping == .disk ? 1 : 0)
    case .cancel(let root):
      out.append(1)
      out.append(content: root.bytes)
    case .put(let object):
      out.append(2)
      out.append(content: object.root.bytes)
      out.append(number: object.blocks.count)
      for block in object.blocks {
        out.append(content: block.cid.bytes)
        out.append(content: block.bytes)
      }
    case .pin(let root):
      out.append(3)
      out.append(content: root.bytes)
    case .unpin(let root):
      out.append(4)
      out.append(content: root.bytes)
    case .subscribe(let topic):
      out.append(5)
      out.append(text: topic.name)
    case .unsubscribe(let topic):
      out.append(6)
      out.append(text: topic.name)
    case .publish(let topic, let data):
      out.append(7)
      out.append(text: topic.name)
      out.append(content: data)
    case .judge(let id, let verdict):
      out.append(9)
      out.append(content: id.bytes)
      out.append(verdict == .accept ? 0 : verdict == .reject ? 1 : 2)
    case .learn(let rows):
      out.append(10)
      rows.append(to: &out)
    case .take(let blocks):
      out.append(8)
      out.append(number: blocks.count)
      for block in blocks {
        out.append(content: block.cid.bytes)
        out.append(content: block.bytes)
      }
    }
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    switch try reader.byte() {
    case 0:
      let root = try CID(bytes: reader.content(128))
      var providers: [PeerID] = []
      for _ in 0..<(try reader.number(65_536)) { providers.append(try reader.peer()) }
      let deadline = Instant(nanoseconds: Int64(bitPattern: try reader.word()))
      let keeping: Exchange.Keeping = try reader.byte() == 1 ? .disk : .memory
      self = .fetch(root, providers: providers, deadline: deadline == .never ? nil : deadline, keeping: keeping)
    case 1: self = .cancel(try CID(bytes: reader.content(128)))
    case 2:
      let root = try CID(bytes: reader.content(128))
      self = .put(Object.Built(root: root, blocks: try reader.blocks()))
    case 3: self = .pin(try CID(bytes: reader.content(128)))
    case 4: self = .unpin(try CID(bytes: reader.content(128)))
    case 5: self = .subscribe(Topic(try reader.text(4_096)))
    case 6: self = .unsubscribe(Topic(try reader.text(4_096)))
    case 7: self = .publish(Topic(try reader.text(4_096)), try reader.content(16 << 20))
    case 8: self = .take(try reader.blocks())
    case 9:
      guard let id = MessageID(bytes: try reader.content(64)) else {
        throw WireError("recorded input", at: reader.position, "a message's name is none")
      }
      let code = try reader.byte()
      self = .judge(id, code == 0 ? .accept : code == 1 ? .reject : .ignore)
    case 10: self = .learn(try Work.Rows(&reader))
    case let code: throw WireError("recorded input", "nothing of kind \(code) can be asked; a newer version recorded it")
    }
  }
}

extension Work.Rows {
  fileprivate func append(to out: inout [UInt8]) {
    out.append(number: samples.width)
    out.append(number: samples.classes)
    out.append(number: samples.count)
    for row in 0..<samples.count {
      out.append(number: Int(samples.labels[row]))
      for value in samples.row(row) {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift)) }
      }
    }
    for list in [training, validation] {
      out.append(number: list.count)
      for index in list { out.append(number: Int(index)) }
    }
  }

  fileprivate init(_ reader: inout ByteReader) throws(WireError) {
    let (width, classes) = (try reader.number(1 << 20), try reader.number(1 << 20))
    let count = try reader.number(1 << 24)
    guard width > 0, classes > 0, count <= reader.left / (4 * width) else {
      throw WireError("recorded input", at: reader.position, "\(count) rows of \(width) features do not fit")
    }
    var (features, labels): ([Float], [Int32]) = ([], [])
    for _ in 0..<count {
      labels.append(Int32(try reader.number(classes - 1)))
      for _ in 0..<width {
        var bits: UInt32 = 0
        for shift in stride(from: UInt32(0), to: 32, by: 8) { bits |= UInt32(try reader.byte()) << shift }
        features.append(Float(bitPattern: bits))
      }
    }
    var lists: [[Int32]] = []
    for _ in 0..<2 {
      var list: [Int32] = []
      for _ in 0..<(try reader.number(count)) { list.append(Int32(try reader.number(count - 1))) }
      lists.append(list)
    }
    self.init(
      samples: Samples(features: features, width: width, labels: labels, classes: classes), training: lists[0],
      validation: lists[1])
  }
}

extension ByteReader {
  /// Blocks, each of which is what it is called.
  fileprivate mutating func blocks() throws(WireError) -> [Block] {
    var blocks: [Block] = []
    for _ in 0..<(try number(65_536)) {
      let cid = try CID(bytes: content(128))
      guard let block = Block(verifying: cid, bytes: try content(Block.mostBytes)) else {
        throw WireError("recorded input", at: position, "a block is not what it is called")
      }
      blocks.append(block)
    }
    return blocks
  }
}

extension Peer.Acquaintance {
  func append(to out: inout [UInt8]) {
    out.append(languages.rawValue)
    out.append(pubsub.language.rawValue)
    out.append(pubsub.isOutbound.map { $0 ? 1 : 0 } ?? 2)
    out.append(content: pubsub.host ?? [])
  }

  init(_ reader: inout ByteReader) throws(WireError) {
    let languages = Peer.Languages(rawValue: try reader.byte())
    guard let language = PubSub.Connection.Language(rawValue: try reader.byte()) else {
      throw WireError("recorded input", at: reader.position, "no such pub/sub protocol; a newer version recorded it")
    }
    let way = try reader.byte()
    let host = try reader.content(64)
    self.init(
      languages,
      pubsub: PubSub.Connection(language, isOutbound: way == 2 ? nil : way == 1, host: host.isEmpty ? nil : host))
  }
}

import MurmurBlocks
import MurmurChannels
import MurmurCollective
import MurmurCompute
import MurmurControl
import MurmurDiscovery
import MurmurFeeds
import MurmurHost
import MurmurIdentify
import MurmurIdentity
import MurmurMachines
import MurmurPubSub
import MurmurRouting
import MurmurSplit
import MurmurWire
import NIOCore

/// What the seeds are made of.
enum Sample {
  static let keys = (0..<8).map { KeyPair(seed: .sha256(of: [UInt8($0)])) }
  static let cid = CID(codec: .raw, hashing: [1, 2, 3])
  static let object = Object.build((0..<3_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }, chunk: 500)
  static let topic = Topic("topic")

  static func peer(_ number: Int) -> PeerID { keys[number % keys.count].peerID }

  static var address: Multiaddr { Multiaddr([.ip4([127, 0, 0, 1]), .tcp(4_001)]) }

  static var announcement: Announcement {
    Announcement(
      peer: peer(1), root: cid, cycle: 7, made: .origin + .seconds(3), accuracy: 0.5, loss: 1, rows: 30, held: true)
  }

  static var rpc: RPC {
    var message = Message(from: peer(1), seqno: 1, topic: topic, data: [1, 2, 3])
    message.signature = keys[1].sign(message.signedBytes)
    let name = MessageID(from: peer(2), seqno: 3)
    return RPC(
      subscriptions: [.init(topic, subscribes: true)], publish: [message],
      control: .init(
        ihave: [.init(topic, ids: [name])], iwant: [name], graft: [topic],
        prune: [.init(topic, backoff: 60, peers: [.init(peer(3), record: [1])])]))
  }

  static var kademlia: [KademliaMessage] {
    let contacts = (0..<3).map { Contact(peer($0), [address]) }
    let record = SequencedRecord(peer: peer(1), name: "x", sequence: 1, value: [1])
    let value = KademliaMessage.Record(key: record.key.bytes, value: record.sealed(with: keys[1]))
    return [
      KademliaMessage(.findNode, key: peer(0).bytes, closer: contacts),
      KademliaMessage(.getProviders, key: [1, 2], closer: contacts, providers: contacts),
      KademliaMessage(.putValue, key: value.key, record: value), KademliaMessage(.getValue, key: value.key, record: value),
      KademliaMessage(.addProvider, key: [1, 2], providers: contacts), KademliaMessage(.ping),
    ]
  }

  static var split: [[UInt8]] {
    let values = Matrix(rows: 2, columns: 3, [1, 2, 3, 4, 5, 6])
    let query = Query(origin: 1, number: 7, rows: [1, 2, 3], drill: Drill(devices: .upTo(0.5), links: .exactly(2)))
    let messages: [SplitMessage] = [
      .outputs(.step(3), stage: 1, values), .gradients(.step(3), stage: 1, nil), .gradients(.step(3), stage: 0, values),
      .poll(query.moment, stage: 0), .question(query), .answer(query.moment, origin: 1, hops: 2, values),
      .average(query.moment, round: 1, values),
    ]
    let reply = SplitReply(answers: values, devices: 2, step: 9, classes: [nil, 1], areProbabilities: true)
    return messages.map { SplitFrame.message($0).encode() } + [
      SplitFrame.hello(SplitHello(device: 1, plan: .sha256(of: []))).encode(),
      SplitFrame.welcome(SplitWelcome(device: 1, problem: "no")).encode(), SplitAsk(rows: [1, 2]).encode(),
      SplitReply.encode(.success(reply)), SplitReply.encode(.failure(SplitRefusal("no"))),
    ]
  }

  static var feed: [[UInt8]] {
    let key = FeedKey(tag: [1, 2], content: [3])
    let messages: [FeedMessage] = [
      .hello(session: "s"), .publish(tag: [1, 2], content: [3]), .ask([key, key]), .welcome(FeedWelcome(session: "s", window: 9)),
      .welcome(FeedWelcome(session: "s", window: 0, problem: "no")), .held([key.name]), .confirmed([key.name, key.name]),
      .unknown([]), .refused(key.name, .busy), .slow(.seconds(1)),
    ]
    return messages.map { $0.encode() }
  }

  static var dns: DNSMessage {
    let name = (try? DomainName(parsing: "abc._p2p._udp.local")) ?? MulticastDNS.service
    var message = DNSMessage()
    message.isResponse = true
    message.questions = [DNSMessage.Question(MulticastDNS.service, .ptr)]
    message.answers = [DNSMessage.Record(MulticastDNS.service, .ptr(name), timeToLive: 900)]
    let address = Array("dnsaddr=/ip4/192.168.1.2/tcp/4001/p2p/\(peer(1))".utf8)
    message.additionals = [
      DNSMessage.Record(name, .txt([address]), timeToLive: 900, flushes: true),
      DNSMessage.Record(name, .srv(priority: 0, weight: 0, port: 4_001, host: name), timeToLive: 9),
      DNSMessage.Record(name, .a([192, 168, 1, 2]), timeToLive: 9),
    ]
    return message
  }

  static var dialback: [[UInt8]] {
    [
      Dialback.request([address, address]), Dialback.Answer(.reached(address), observed: address, clock: 7).encode(),
      Dialback.Answer(.unreached, observed: nil, clock: 0).encode(),
    ]
  }

  static var control: [[UInt8]] {
    let frames: [ControlFrame] = [
      .request([1]), .answer([2, 3]), .note(Array("{}".utf8)), .bytes([4, 5, 6]), .end, .failure("no"),
    ]
    return frames.map { frame in
      var out = ByteBuffer()
      frame.write(to: &out)
      return Array(out.readableBytesView)
    }
  }

  static var invitations: [[UInt8]] {
    let text = try? Invitation.write(session: "name: x", begins: 1, needsRows: true, addresses: [address], keys: keys[1])
    return [Array((text ?? "").utf8)]
  }

  static var bitswap: BitswapMessage {
    BitswapMessage(
      wants: [.init(cid, .block), .init(cid, .have), .init(cid, .cancel)], isFull: true, blocks: Array(object.blocks.prefix(2)),
      presences: [.init(cid, has: true), .init(object.root, has: false)], pendingBytes: 9)
  }
}

extension Target {
  /// Decoders of messages and names.
  static let decoders: [Target] = [
    Target("names", seeds: { [[0] + Sample.cid.bytes, [1] + Sample.address.bytes, [2] + Sample.peer(1).bytes] }) { bytes in
      var draw = Draw(bytes)
      let kind = draw.byte() % 8
      let rest = draw.rest()
      let text = String(decoding: rest, as: UTF8.self)
      switch kind {
      case 0: if let cid = try? CID(bytes: rest) { precondition((try? CID(bytes: cid.bytes)) == cid) }
      case 1: if let address = try? Multiaddr(bytes: rest) { precondition((try? Multiaddr(bytes: address.bytes)) == address) }
      case 2: if let peer = try? PeerID(bytes: rest) { precondition((try? PeerID(bytes: peer.bytes)) == peer) }
      case 3: if let cid = try? CID(parsing: text) { precondition((try? CID(bytes: cid.bytes)) == cid) }
      case 4: if let address = try? Multiaddr(parsing: text) { precondition((try? Multiaddr(parsing: "\(address)")) == address) }
      case 5: if let peer = try? PeerID(parsing: text) { precondition((try? PeerID(parsing: "\(peer)")) == peer) }
      case 6: _ = try? Multibase.decode(text)
      default:
        var position = 0
        _ = try? Multihash.read(rest, at: &position)
        position = 0
        _ = try? Varint.read(rest, at: &position)
      }
    },
    Target("keys", seeds: { [[0] + Sample.keys[0].publicKey.encoded, [1] + Sample.keys[0].encoded] }) { bytes in
      var draw = Draw(bytes)
      let kind = draw.byte() % 5
      let rest = draw.rest()
      switch kind {
      case 0: if let key = try? PublicKey(encoded: rest) { _ = try? key.isValid([UInt8](repeating: 1, count: 64), for: [1]) }
      case 1: _ = try? KeyPair(encoded: rest)
      case 2: _ = try? PeerRecord.open(rest)
      case 3: _ = try? PeerRecord(encoded: rest)
      default: _ = try? SequencedRecord.open(rest)
      }
    },
    Target(
      "records",
      seeds: {
        [
          PeerRecord(peer: Sample.peer(0), sequence: 1, addresses: [Sample.address]).sealed(with: Sample.keys[0]).encoded,
          SequencedRecord(peer: Sample.peer(0), name: "n", sequence: 1, value: [1]).sealed(with: Sample.keys[0]),
        ]
      }
    ) { bytes in
      _ = try? PeerRecord.open(bytes)
      _ = try? SequencedRecord.open(bytes)
    },
    Target(
      "identify",
      seeds: {
        [
          IdentifyMessage(
            publicKey: Sample.keys[0].publicKey.encoded, listenAddresses: [Sample.address], protocols: ["/a", "/b"],
            observedAddress: Sample.address, agentVersion: "x"
          ).encode()
        ]
      }
    ) { bytes in
      guard let message = try? IdentifyMessage.decode(bytes) else { return }
      precondition((try? IdentifyMessage.decode(message.encode())) == message)
    },
    Target("kademlia", seeds: { Sample.kademlia.map { $0.encode() } }) { bytes in
      guard let message = try? KademliaMessage.decode(bytes) else { return }
      precondition((try? KademliaMessage.decode(message.encode())) == message)
    },
    Target("rpc", seeds: { [Sample.rpc.encode()] }) { bytes in
      guard let message = try? RPC.decode(bytes) else { return }
      precondition((try? RPC.decode(message.encode())) == message && message.encode().count == message.wireSize)
    },
    Target("bitswap", seeds: { [Sample.bitswap.encode()] }) { bytes in
      guard let message = try? BitswapMessage.decode(bytes) else { return }
      precondition((try? BitswapMessage.decode(message.encode())) == message && message.encode().count == message.wireSize)
    },
    Target("nodes", seeds: { Sample.object.blocks.map(\.bytes) }) { bytes in
      _ = try? DAGNode.decode(bytes)
      _ = try? Directory(decoding: Block(bytes, codec: .dagPB))
      var exporter = Exporter(CID(codec: .dagPB, hashing: bytes))
      _ = try? exporter.take(Block(bytes, codec: .dagPB))
    },
    Target(
      "collective",
      seeds: {
        let sealed = SealedAnnouncement(Sample.announcement, signature: [UInt8](repeating: 1, count: 64))
        return [
          CollectiveMessage.news([Sample.announcement], wantsReply: true).encode(),
          CollectiveMessage.sealed([sealed, sealed], wantsReply: false).encode(), Notice.model(Sample.announcement).encode(),
          Notice.hashlist(Sample.cid, slices: 3).encode(), Notice.used(Sample.cid).encode(),
        ]
      }
    ) { bytes in
      if let message = try? CollectiveMessage.decode(bytes) {
        let again = message.encode()
        precondition((try? CollectiveMessage.decode(again)) == message && again.count == message.wireSize)
      }
      if let notice = try? Notice.decode(bytes) { precondition((try? Notice.decode(notice.encode())) == notice) }
    },
    Target("split", seeds: { Sample.split }) { bytes in
      if let frame = try? SplitFrame.decode(bytes) { precondition((try? SplitFrame.decode(frame.encode())) == frame) }
      if let ask = try? SplitAsk.decode(bytes) { precondition((try? SplitAsk.decode(ask.encode())) == ask) }
      if case .success(let reply)? = try? SplitReply.decode(bytes) {
        precondition((try? SplitReply.decode(SplitReply.encode(.success(reply))).get()) == reply)
      }
    },
    Target("dns", seeds: { [Sample.dns.encode()] }) { bytes in
      guard let message = try? DNSMessage.decode(bytes) else { return }
      let again = message.encode()
      precondition(again.count > DNSMessage.mostBytes || (try? DNSMessage.decode(again)) == message)
    },
    Target("dialback", seeds: { Sample.dialback }) { bytes in
      if let answer = try? Dialback.Answer.decode(bytes) { precondition((try? .decode(answer.encode())) == answer) }
      if let addresses = try? Dialback.addresses(decoding: bytes) {
        precondition((try? Dialback.addresses(decoding: Dialback.request(addresses))) == addresses)
      }
    },
    Target("control", seeds: { Sample.control }) { bytes in
      var buffer = ByteBuffer(bytes: bytes)
      while let frame = try? ControlFrame.read(from: &buffer) {
        var again = ByteBuffer()
        frame.write(to: &again)
        let read = try? ControlFrame.read(from: &again)
        precondition(read == frame)
      }
    },
    Target("invitation", seeds: { Sample.invitations }) { bytes in
      guard let invitation = try? Invitation(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
      precondition(!invitation.addresses.isEmpty && invitation.entrances.count == invitation.addresses.count)
    },
    Target("feed", seeds: { Sample.feed }) { bytes in
      if let message = try? FeedMessage.decode(bytes) { precondition((try? FeedMessage.decode(message.encode())) == message) }
    },
  ]
}

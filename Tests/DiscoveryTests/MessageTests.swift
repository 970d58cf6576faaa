import MurmurDiscovery
import MurmurMachines
import MurmurWire
import Testing

/// DNS messages, written and read.
@Suite struct MessageTests {
  private static let question: [UInt8] =
    [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0] + [4] + Array("_p2p".utf8) + [4] + Array("_udp".utf8) + [5] + Array("local".utf8)
    + [0, 0, 12, 0, 1]

  /// A response with every kind of record.
  private static func rich() throws -> DNSMessage {
    let service = try DomainName(parsing: "_p2p._udp.local")
    let instance = try DomainName(parsing: "abc._p2p._udp.local")
    let host = try DomainName(parsing: "abc.p2p.local")
    var message = DNSMessage()
    message.id = 7
    (message.isResponse, message.isAuthoritative, message.isTruncated) = (true, true, true)
    var question = DNSMessage.Question(service, .ptr)
    question.wantsUnicast = true
    message.questions = [question]
    message.answers = [DNSMessage.Record(service, .ptr(instance), timeToLive: 4_500)]
    message.authorities = [DNSMessage.Record(host, .other(DNSMessage.RecordType(47), [1, 2, 3]), timeToLive: 1)]
    message.additionals = [
      DNSMessage.Record(instance, .txt([Array("dnsaddr=/ip4/1.2.3.4".utf8), []]), timeToLive: 9, flushes: true),
      DNSMessage.Record(instance, .srv(priority: 1, weight: 2, port: 4001, host: host), timeToLive: 9),
      DNSMessage.Record(host, .a([192, 168, 1, 2]), timeToLive: 120, flushes: true),
      DNSMessage.Record(host, .aaaa((0..<16).map { $0 }), timeToLive: 0xffff_ffff),
    ]
    return message
  }

  @Test func `the question for all peers is the specification's, byte for byte`() throws {
    var message = DNSMessage()
    message.questions = [DNSMessage.Question(MulticastDNS.service, .ptr)]
    #expect(message.encode() == MessageTests.question)
    #expect(try DNSMessage.decode(MessageTests.question) == message)
  }

  @Test func `what is written is read again, and repeated names are referred to`() throws {
    let message = try MessageTests.rich()
    let bytes = message.encode()
    #expect(try DNSMessage.decode(bytes) == message)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.split(separator: "_udp").count == 2, "the service is written once")
    #expect(bytes.count < 220, "\(bytes.count)")
  }

  @Test func `case means nothing in names`() throws {
    #expect(try DomainName(parsing: "_P2P._uDp.LOCAL") == MulticastDNS.service)
    let shouted = MessageTests.question.map { $0 >= 0x61 && $0 <= 0x7a ? $0 & 0xdf : $0 }
    #expect(try DNSMessage.decode(shouted).questions.first?.name == MulticastDNS.service)
    #expect("\(MulticastDNS.services)" == "_services._dns-sd._udp.local")
  }

  @Test func `names that are too long, empty labels and pointers that lead nowhere or in circles are refused`() throws {
    #expect(throws: WireError.self) { try DomainName(parsing: "a..local") }
    #expect(throws: WireError.self) { try DomainName(parsing: String(repeating: "a", count: 64)) }
    #expect(throws: WireError.self) { try DomainName(parsing: Array(repeating: "abcdefgh", count: 29).joined(separator: ".")) }
    let header: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    let rest: [UInt8] = [0, 12, 0, 1]
    let names: [(String, [UInt8])] = [
      ("itself", [0xc0, 12]), ("forward", [0xc0, 14, 0]), ("past the end", [0xc0, 200]),
      ("back into itself", [1, 0x61, 0xc0, 12]),
      ("two in a circle", [1, 0x61, 0xc0, 16, 1, 0x62, 0xc0, 12]), ("a form that means nothing", [0x41, 0]),
      ("cut off", [63, 1, 2]), ("half a pointer", [0xc0]),
    ]
    for (what, name) in names {
      #expect(throws: WireError.self, "\(what)") { try DNSMessage.decode(header + name + rest) }
    }
  }

  @Test func `what is more than a message may hold is refused`() throws {
    #expect(throws: WireError.self) { try DNSMessage.decode([UInt8](repeating: 0, count: DNSMessage.mostBytes + 1)) }
    let many: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    let error = #expect(throws: WireError.self) { try DNSMessage.decode(many) }
    #expect(error?.description.contains("257") == true)
    #expect(throws: WireError.self) { try DNSMessage.decode(MessageTests.question + [0]) }
    for length in 0..<MessageTests.question.count {
      #expect(throws: WireError.self) { try DNSMessage.decode(Array(MessageTests.question.prefix(length))) }
    }
    let text = try DomainName(parsing: "a.local")
    let strings = [[UInt8]](repeating: [1], count: DNSMessage.mostStrings + 1)
    var message = DNSMessage()
    message.answers = [DNSMessage.Record(text, .txt(strings), timeToLive: 1)]
    #expect(throws: WireError.self) { try DNSMessage.decode(message.encode()) }
  }

  @Test func `garbled messages are refused or read, and what was read is written the same again`() throws {
    var chance = Chance(seed: 20_261_121)
    var pool = [MessageTests.question, try MessageTests.rich().encode()]
    var read = 0
    for number in 0..<Effort.inputs {
      let bytes = mutated(pool[chance.below(pool.count)], &chance)
      guard let message = try? DNSMessage.decode(bytes) else { continue }
      read += 1
      #expect(try DNSMessage.decode(message.encode()) == message, "seed 20261121, input \(number): \(bytes)")
      if pool.count < 256 { pool.append(bytes) } else if chance.happens(0.1) { pool[2 + chance.below(254)] = bytes }
    }
    #expect(read > Effort.inputs / 50, "only \(read) inputs were read: the fuzz is too coarse")
  }
}

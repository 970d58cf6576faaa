import MurmurIdentity
import MurmurMachines
import MurmurWire

/// Questions and answers of our own.
extension MulticastDNS {
  /// The addresses that are told: TCP at an internet address that means something on this link.
  func announced(_ addresses: [Multiaddr]) -> [Multiaddr] {
    var told: [Multiaddr] = []
    for address in addresses.map(\.withoutPeer) where MulticastDNS.isDirect(address) && !told.contains(address) {
      switch address.reach {
      case .loopback: if scope == .loopback { told.append(address) }
      case .site, .global: if scope == .network { told.append(address) }
      case .link: if scope == .network, address.hostBytes?.count == 4 { told.append(address) }
      case .named, .none: continue
      }
    }
    return told
  }

  /// Whether it is an internet address and a TCP port, nothing else: what a peer here can dial.
  static func isDirect(_ address: Multiaddr) -> Bool {
    guard address.parts.count == 2, case .tcp(let port) = address.parts[1], port > 0 else { return false }
    switch address.parts[0] {
    case .ip4, .ip6: return true
    default: return false
    }
  }

  /// Who is there, but for those who are known for a good while yet.
  func question(at now: Instant) -> [UInt8] {
    var message = DNSMessage()
    message.questions = [DNSMessage.Question(MulticastDNS.service, .ptr)]
    let fresh = acquaintances.filter { $0.value.expires - now > $0.value.lifetime * 0.5 }
      .sorted { $0.value.heard != $1.value.heard ? $0.value.heard > $1.value.heard : $0.key < $1.key }
    for (_, known) in fresh.prefix(configuration.knownAnswers) {
      let left = UInt32(max(0, (known.expires - now).seconds))
      message.answers.append(DNSMessage.Record(MulticastDNS.service, .ptr(known.instance), timeToLive: left))
    }
    return message.encode()
  }

  /// What a question wants to know of us.
  func wanted(by message: DNSMessage) -> Due {
    guard !addresses.isEmpty else { return [] }
    var due: Due = []
    for question in message.questions where question.kind == 1 || question.kind == 255 {
      let type = question.type
      switch question.name {
      case MulticastDNS.service where type == .ptr || type == .any:
        if !message.answers.contains(where: isOurs) { due.insert(.peer) }
      case MulticastDNS.services where type == .ptr || type == .any: due.insert(.services)
      case instance where [.srv, .txt, .any].contains(type): due.insert(.details)
      case host where [.a, .aaaa, .any].contains(type): due.insert(.details)
      default: continue
      }
    }
    return due
  }

  /// Whether the asker knows us for a good while yet (RFC 6762 §7.1).
  private func isOurs(_ record: DNSMessage.Record) -> Bool {
    record.name == MulticastDNS.service && record.data == .ptr(instance) && record.timeToLive >= configuration.timeToLive / 2
  }

  private var pointer: DNSMessage.Record {
    DNSMessage.Record(MulticastDNS.service, .ptr(instance), timeToLive: configuration.timeToLive)
  }

  /// What others should know: the peer with where it is, its kind of service, or only where it is.
  func answer(_ due: Due) -> DNSMessage {
    var message = DNSMessage()
    message.isResponse = true
    message.isAuthoritative = true
    if due.contains(.services) {
      message.answers.append(
        DNSMessage.Record(MulticastDNS.services, .ptr(MulticastDNS.service), timeToLive: configuration.timeToLive))
    }
    if due.contains(.peer) { message.answers.append(pointer) }
    guard due.contains(.peer) || due.contains(.details) else { return message }
    // One text record with all addresses: there are readers that look at one only.
    var told: [Multiaddr] = []
    var whole = message
    for address in addresses {
      var longer = message
      let records = details(told + [address])
      if due.contains(.peer) { longer.additionals = records } else { longer.answers += records }
      guard told.isEmpty || longer.encode().count <= configuration.answerBytes else { break }
      told.append(address)
      whole = longer
    }
    return whole
  }

  private func details(_ addresses: [Multiaddr]) -> [DNSMessage.Record] {
    var strings: [[UInt8]] = []
    var hosts: [[UInt8]] = []
    var port: UInt16 = 0
    for address in addresses {
      let string = MulticastDNS.key + Array("\(address)/p2p/\(id)".utf8)
      if string.count <= 255 { strings.append(string) }
      if let bytes = address.hostBytes, !hosts.contains(bytes) { hosts.append(bytes) }
      if port == 0, case .tcp(let number)? = address.parts.last { port = number }
    }
    let short = configuration.hostTimeToLive
    var records = [
      DNSMessage.Record(instance, .txt(strings), timeToLive: configuration.timeToLive, flushes: true),
      DNSMessage.Record(
        instance, .srv(priority: 0, weight: 0, port: port, host: host), timeToLive: short, flushes: true),
    ]
    for bytes in hosts {
      records.append(DNSMessage.Record(host, bytes.count == 4 ? .a(bytes) : .aaaa(bytes), timeToLive: short, flushes: true))
    }
    return records
  }

  /// The peer takes back that it is there.
  var farewell: DNSMessage {
    var message = DNSMessage()
    message.isResponse = true
    message.isAuthoritative = true
    var record = pointer
    record.timeToLive = 0
    message.answers = [record]
    return message
  }
}

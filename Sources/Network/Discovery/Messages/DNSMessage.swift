/// A message of the domain name system, as multicast DNS uses it: RFC 1035 §4, RFC 6762 §18.
///
/// What is read is bounded by ``mostBytes`` and ``mostRecords``; names are read through compression pointers that lead backwards only,
/// so that no message can lead in a circle.
public struct DNSMessage: Hashable, Sendable {
  /// The transaction; 0 in multicast DNS.
  public var id: UInt16 = 0
  /// Whether it answers.
  public var isResponse = false
  /// Whether the answer is the word of whoever owns the name; always so in multicast DNS.
  public var isAuthoritative = false
  /// Whether more known answers follow in another message.
  public var isTruncated = false
  /// The kind of request: 0 is a query. Others are not looked at.
  public var operation: UInt8 = 0
  /// What is asked.
  public var questions: [Question] = []
  /// What is answered; in a query, what is known already.
  public var answers: [Record] = []
  /// Records of the second section, which probes use.
  public var authorities: [Record] = []
  /// What may be of use besides.
  public var additionals: [Record] = []

  /// The most bytes a message may have (RFC 6762 §17).
  public static let mostBytes = 9_000
  /// The most records and questions a message may have, all sections together.
  public static let mostRecords = 256
  /// The most strings of a text record.
  public static let mostStrings = 64

  /// An empty query.
  public init() {}

  /// A question.
  public struct Question: Hashable, Sendable {
    /// Whose records are asked for.
    public var name: DomainName
    /// Which records.
    public var type: RecordType
    /// 1 is the internet, 255 any.
    public var kind: UInt16 = 1
    /// Whether the answer may come to the asker alone.
    public var wantsUnicast = false

    /// The question for such records of `name`.
    public init(_ name: DomainName, _ type: RecordType) {
      self.name = name
      self.type = type
    }
  }

  /// A resource record.
  public struct Record: Hashable, Sendable {
    /// Whose it is.
    public var name: DomainName
    /// What it says.
    public var data: RecordData
    /// For how many seconds it holds; 0 takes it back.
    public var timeToLive: UInt32
    /// 1 is the internet.
    public var kind: UInt16 = 1
    /// Whether it replaces all others of its name and type.
    public var flushes = false

    /// A record of `name`.
    public init(_ name: DomainName, _ data: RecordData, timeToLive: UInt32, flushes: Bool = false) {
      self.name = name
      self.data = data
      self.timeToLive = timeToLive
      self.flushes = flushes
    }
  }

  /// A type of records, by its number.
  public struct RecordType: Hashable, Sendable {
    /// The number.
    public let number: UInt16
    /// The type with that number.
    public init(_ number: UInt16) { self.number = number }

    /// An IPv4 address.
    public static let a = RecordType(1)
    /// Another name.
    public static let ptr = RecordType(12)
    /// Strings.
    public static let txt = RecordType(16)
    /// An IPv6 address.
    public static let aaaa = RecordType(28)
    /// Where a service is.
    public static let srv = RecordType(33)
    /// In questions: any type.
    public static let any = RecordType(255)
  }

  /// What a record says.
  public enum RecordData: Hashable, Sendable {
    /// An IPv4 address: four bytes.
    case a([UInt8])
    /// An IPv6 address: sixteen bytes.
    case aaaa([UInt8])
    /// Another name.
    case ptr(DomainName)
    /// Where a service is: a port of a host.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, host: DomainName)
    /// Strings of up to 255 bytes.
    case txt([[UInt8]])
    /// Anything else, as it came.
    case other(RecordType, [UInt8])

    /// The record's type.
    public var type: RecordType {
      switch self {
      case .a: .a
      case .aaaa: .aaaa
      case .ptr: .ptr
      case .srv: .srv
      case .txt: .txt
      case .other(let type, _): type
      }
    }
  }
}

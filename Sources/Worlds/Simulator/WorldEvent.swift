public import MurmurCollective

/// What the world tells of a run as it happens.
public enum WorldEvent: Sendable {
  /// A peer announced something.
  case peer(CollectiveEvent)
  /// A fault began or ended, in words.
  case fault(String)

  /// Whether the event has a place in a journal; the everyday ones are only counted.
  public var isTold: Bool {
    switch self {
    case .peer(.cycleBegan), .peer(.trained): false
    default: true
    }
  }

  /// The event as a kind and named values, for a journal; `nil` for the everyday ones, which are only counted.
  public var described: (kind: String, fields: [(name: String, value: String)])? {
    switch self {
    case .fault(let words): ("fault", [("what", words)])
    case .peer(.joined): ("joined", [])
    case .peer(.ended): ("ended", [])
    case .peer(.fetchFailed(let root, let reason)): ("fetchFailed", [("object", "\(root)"), ("reason", reason)])
    case .peer(.rejected(let root, let peer, let reason)):
      ("rejected", [("object", "\(root)"), ("from", "\(peer)"), ("reason", reason)])
    case .peer(.offended(let peer, let what)): ("offended", [("by", "\(peer)"), ("what", what)])
    case .peer(.averaged(let models, let adopted)): ("averaged", [("models", "\(models)"), ("adopted", "\(adopted)")])
    case .peer(.published(let root)): ("published", [("model", "\(root)")])
    case .peer(.cycleBegan), .peer(.trained): nil
    }
  }
}

import Logging
import MurmurChannels
import MurmurIdentity
import MurmurMachines
import MurmurSplit
import MurmurWire
import NIOCore

/// A device's connections to its neighbours, on the sockets' loop: who is there, who is dialled, who is believed.
///
/// Each pair of devices has a stream in either direction, which whoever sends on it opened. It begins with a hello; the answer says whether
/// what follows is read.
final class SplitLines {
  /// What is known of a neighbour.
  struct Line {
    /// Who must be there; if anybody may, who is.
    var peer: PeerID?
    var isListed = false
    var addresses: [Multiaddr] = []
    var writer: SplitWriter?
    var reader: SplitReader?
    var isWelcome = false
    /// Whether the machine's side was told that it is there.
    var isTold = false
    var isDialling = false
    var failures = 0
    var retry: Scheduled<Void>?
    /// Problems that were told, so that each is told once until the neighbour is there.
    var told: [String] = []
  }

  let configuration: SplitNodeConfiguration
  let plan: SplitPlan
  let number: Int
  let fingerprint: Digest
  let loop: any EventLoop
  let mailbox: SplitMailbox
  var transport: Transport?
  var ask: @Sendable ([Int32]) -> EventLoopFuture<SplitReply>
  var tell: @Sendable (SplitNodeEvent) -> Void = { _ in }
  private(set) var lines: [Int: Line] = [:]
  private var links: [Link] = []
  private var misconduct: Misconduct<PeerID>
  private var hasBegun = false
  private var isStopped = false
  /// Streams for questions that are open, whether they were asked or not.
  private var openAsks = 0
  private var watch: RepeatedTask?
  private var dropped = 0
  private var unreadable = 0
  private var bytesReceived = 0
  private var bytesSent = 0

  init(
    _ configuration: SplitNodeConfiguration, plan: SplitPlan, number: Int, fingerprint: Digest, loop: any EventLoop,
    mailbox: SplitMailbox
  ) {
    self.configuration = configuration
    self.plan = plan
    self.number = number
    self.fingerprint = fingerprint
    self.loop = loop
    self.mailbox = mailbox
    misconduct = Misconduct(configuration.conduct, tolerance: configuration.strikes)
    ask = { _ in loop.makeFailedFuture(SplitRefusal("the device has not been made")) }
    for other in plan.neighbours[number] {
      let place = configuration.places[other] ?? .init()
      lines[other] = Line(peer: place.peer, isListed: place.peer != nil, addresses: place.addresses)
    }
  }

  var neighbours: [Int] { plan.neighbours[number] }

  var census: SplitNode.Snapshot {
    var seen = SplitNode.Snapshot()
    seen.present = neighbours.filter { lines[$0]?.isTold == true }
    (seen.dropped, seen.unreadable, seen.bytesReceived, seen.bytesSent) = (dropped, unreadable, bytesReceived, bytesSent)
    return seen
  }

  // MARK: Life

  func begin() {
    hasBegun = true
    watch = transport?.watchSilence(every: configuration.upkeep)
    for other in neighbours { attend(other, in: other < number ? .zero : configuration.courtesy) }
  }

  func stop() -> Transport? {
    isStopped = true
    watch?.cancel()
    for other in neighbours { lines[other]?.retry?.cancel() }
    for other in neighbours { lines[other]?.writer?.finish() }
    return transport
  }

  /// Looks after a neighbour, after a while.
  private func attend(_ other: Int, in span: Instant.Span) {
    lines[other]?.retry?.cancel()
    let box = NIOLoopBound(self, eventLoop: loop)
    lines[other]?.retry = loop.scheduleTask(in: .nanoseconds(span.nanoseconds)) { box.value.connect(other) }
  }

  /// Opens a stream to a neighbour over a link that there is, or dials it.
  private func connect(_ other: Int) {
    guard hasBegun, !isStopped, let line = lines[other], line.writer == nil else { return }
    if let peer = line.peer, let link = links.last(where: { $0.peer == peer }) { return open(other, over: link) }
    guard !line.isDialling, !line.addresses.isEmpty, let transport else { return }
    if let peer = line.peer, let span = misconduct.ban(of: peer, at: now) { return attend(other, in: span) }
    lines[other]?.isDialling = true
    let address = line.addresses[line.failures % line.addresses.count]
    let box = NIOLoopBound(self, eventLoop: loop)
    transport.dial(address, expecting: line.peer).hop(to: loop).whenComplete { result in
      box.value.dialled(other, address, result)
    }
  }

  private func dialled(_ other: Int, _ address: Multiaddr, _ result: Result<Link, any Error>) {
    lines[other]?.isDialling = false
    switch result {
    case .success(let link):
      if lines[other]?.peer == nil { lines[other]?.peer = link.peer }
      if lines[other]?.writer == nil { open(other, over: link) }
    case .failure(let error):
      // That nobody listens yet, or any more, is what happens to devices; another peer at that address is not.
      if let error = error as? TransportError, let cause = error.cause, cause.isOffence || isWrongPeer(cause) {
        complain(other, "device \(other): \(error); correct its address or identity in the session file")
      }
      configuration.logger.debug("device \(other) at \(address): \(error)")
      fail(other)
    }
  }

  private func isWrongPeer(_ error: ConnectionError) -> Bool { if case .wrongPeer = error.reason { true } else { false } }

  private func fail(_ other: Int) {
    let failures = lines[other]?.failures ?? 0
    lines[other]?.failures = failures + 1
    attend(other, in: min(configuration.redial * Double(1 << min(failures, 16)), configuration.longestRedial))
  }

  private func complain(_ other: Int, _ problem: String) {
    guard let told = lines[other]?.told, told.count < 8, !told.contains(problem) else { return }
    lines[other]?.told.append(problem)
    tell(.problem(problem))
  }

  private var now: Instant { configuration.transport.clock.now }

  // MARK: Links

  func connected(_ link: Link) {
    guard !isStopped, misconduct.ban(of: link.peer, at: now) == nil else { return link.close("it is shut out for a while") }
    links.append(link)
    for other in neighbours where lines[other]?.peer == link.peer && lines[other]?.writer == nil { open(other, over: link) }
  }

  func disconnected(_ link: Link, _ why: ConnectionError) {
    links.removeAll { $0.id == link.id }
    if why.isOffence { offend(link.peer, "broke off: \(why)") }
  }

  private func open(_ other: Int, over link: Link) {
    let writer = SplitWriter(to: other, lines: self)
    lines[other]?.writer = writer
    lines[other]?.isWelcome = false
    link.open([SplitFrame.protocolID], handler: writer)
  }

  func accept(_ stream: PeerStream) -> (any StreamHandler)? {
    guard !isStopped else { return nil }
    switch stream.protocolName {
    // One in use, and one that replaces it.
    case SplitFrame.protocolID where stream.link.streams(of: SplitFrame.protocolID) < 2: return SplitReader(lines: self)
    case SplitFrame.askProtocolID where openAsks < 2 * configuration.questions:
      openAsks += 1
      return SplitAskStream(lines: self)
    default: return nil
    }
  }

  // MARK: Hellos

  /// Takes a hello; gives the reason why nothing further is read, if there is one.
  func greet(_ hello: SplitHello, _ reader: SplitReader, _ stream: PeerStream) -> String? {
    let other = hello.device
    guard hello.plan == fingerprint else {
      let (own, theirs) = ("\(fingerprint)".prefix(8), "\(hello.plan)".prefix(8))
      let problem =
        "device \(number) follows plan \(own), device \(other) (\(stream.peer)) follows plan \(theirs); give both the same session file and data"
      if lines[other] != nil { complain(other, problem) } else { tell(.problem(problem)) }
      return problem
    }
    guard let line = lines[other] else { return "device \(other) is no neighbour of device \(number) in this plan" }
    if let peer = line.peer, peer != stream.peer, line.isListed || line.reader != nil || line.writer != nil {
      let problem = "device \(other) is \(peer), and \(stream.peer) at \(stream.link.remoteAddress) says it is that device"
      complain(other, problem + "; nothing of it is read")
      return problem
    }
    let before = line.reader
    lines[other]?.peer = stream.peer
    lines[other]?.reader = reader
    before?.replace()
    if line.writer == nil { open(other, over: stream.link) }
    settle(other)
    return nil
  }

  /// The answer to this device's hello came.
  func welcomed(_ welcome: SplitWelcome, by other: Int, _ writer: SplitWriter) {
    guard lines[other]?.writer === writer else { return }
    if let problem = welcome.problem { return complain(other, "device \(other) does not listen: \(problem)") }
    guard welcome.device == other else {
      return complain(
        other, "device \(welcome.device) answers where device \(other) should be; correct its address in the session file")
    }
    lines[other]?.isWelcome = true
    lines[other]?.failures = 0
    settle(other)
  }

  /// Tells the machine's side who came or went.
  private func settle(_ other: Int) {
    guard let line = lines[other] else { return }
    let isThere = line.isWelcome && line.reader != nil
    guard isThere != line.isTold else { return }
    lines[other]?.isTold = isThere
    if isThere { lines[other]?.told = [] }
    tell(isThere ? .connected(other) : .disconnected(other))
  }

  func writerEnded(_ other: Int, _ writer: SplitWriter) {
    guard lines[other]?.writer === writer else { return }
    lines[other]?.writer = nil
    lines[other]?.isWelcome = false
    settle(other)
    forgetGone(other)
    fail(other)
  }

  func readerEnded(_ other: Int, _ reader: SplitReader) {
    guard lines[other]?.reader === reader else { return }
    lines[other]?.reader = nil
    settle(other)
    forgetGone(other)
    _ = mailbox.put(.departed(other), bytes: 0)
    // A link may be half dead: whoever is silent one way is dialled anew if its stream ends as well.
    attend(other, in: configuration.redial)
  }

  /// A device that anybody may be is nobody when its peer is gone.
  private func forgetGone(_ other: Int) {
    guard let line = lines[other], !line.isListed, line.writer == nil, line.reader == nil else { return }
    lines[other]?.peer = nil
  }

  // MARK: Messages

  func send(_ batch: SplitPlace.Batch) {
    for (other, frame) in batch {
      if let writer = lines[other]?.writer, writer.send(frame) { bytesSent += frame.count } else { dropped += 1 }
    }
  }

  /// Hands a message to the machine; false if nothing more is to be read for now.
  func receive(_ message: SplitMessage, from other: Int, bytes: Int) -> Bool {
    bytesReceived += bytes
    // A small message takes more room here than on the wire.
    return mailbox.put(.received(message, from: other), bytes: bytes + 128)
  }

  /// The machine has taken what there was: reading goes on.
  func giveBack() { for other in neighbours { lines[other]?.reader?.giveBack() } }

  /// A peer sends what cannot be read.
  func strike(_ peer: PeerID, _ what: String) {
    unreadable += 1
    offend(peer, what)
  }

  private func offend(_ peer: PeerID, _ what: String) {
    configuration.logger.info("\(peer) \(what)")
    guard let span = misconduct.offend(peer, 1, at: now) else { return }
    tell(.problem("\(peer) is shut out for \(Int(span.seconds)) s: it \(what)"))
    for link in links where link.peer == peer { link.close("it \(what)") }
  }

  // MARK: Questions from outside

  func question(_ rows: [Int32], _ done: @escaping @Sendable (Result<SplitReply, any Error>) -> Void) {
    ask(rows).hop(to: loop).whenComplete(done)
  }

  /// A stream for a question is over.
  func askEnded() { openAsks -= 1 }
}

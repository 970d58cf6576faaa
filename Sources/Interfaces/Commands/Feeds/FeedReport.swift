import Foundation
import MurmurReports
import MurmurSimulator

/// What came of the experiments on streams, as a report.
extension FeedRuns {
  /// What LEARNAE's table 5 says: seconds a packet, on a Raspberry Pi 3 over IOTA.
  static let paperSeconds = 13.9

  func report() -> ReproductionReport {
    var exhibits: [ReproductionReport.Exhibit] = []
    if !trials.isEmpty { exhibits.append(table5) }
    if !lessons.isEmpty { exhibits.append(learning) }
    if let ledger { exhibits.append(tangle(ledger)) }
    return ReproductionReport(
      title: "Feeds" + (interrupted == nil ? "" : ", not everything run"),
      paper:
        "Nikolaidis and Refanidis, Using Distributed Ledger Technology to Democratize Neural Network Training, Applied Intelligence, 2021",
      introduction: [
        """
        A thin feeder signs rows in packets and gives them to a full peer, which issues each as a transaction of a feeless ledger; other \
        full peers follow the sensor's stream in their replica, verify every packet and learn from its rows.
        """
      ], command: command, seeds: seeds, exhibits: exhibits, notes: notes,
      facts: wallSeconds > 0 ? [.init("duration", Numerals.duration(wallSeconds))] : [])
  }

  private var notes: [String] {
    var notes = [
      "The paper's feeder is a Raspberry Pi 3 on the public IOTA network; ours are processes of this machine over the loopback interface."
    ]
    if seeds.count == 1 { notes.append("One seed: small differences mean nothing without more seeds.") }
    if let interrupted { notes.insert(interrupted, at: 0) }
    return notes
  }

  private static func milliseconds(_ seconds: Double) -> String {
    if seconds.isNaN { return Numerals.unknown }
    return seconds < 10 ? "\(Numerals.trimmed(1_000 * seconds)) ms" : Numerals.duration(seconds)
  }

  private var table5: ReproductionReport.Exhibit {
    var table = Table(
      "\(Numerals.count(packets)) packets of 50 rows of about 750 bytes",
      columns: [.text("")] + trials.map { .number($0.trial.title) })
    func row(_ name: String, _ value: (FeedTrial.Figures) -> String) {
      table.rows.append([name] + trials.map { value($0.figures) })
    }
    row("sealed to verified, median") { FeedRuns.milliseconds($0.median) }
    row("sealed to verified, 95 %") { FeedRuns.milliseconds($0.percentile95) }
    row("rows verified once") { Numerals.count($0.once) }
    row("rows verified more than once") { Numerals.count($0.twice) }
    row("rows missing") { Numerals.count($0.missing) }
    row("bytes on the feeder's sockets per byte of rows") {
      $0.sent > 0 ? Numerals.trimmed($0.sent / $0.payload, places: 3) : "—"
    }
    row("feeder's processor time per packet") { FeedRuns.milliseconds($0.processor / Double(packets)) }
    row("feeder's resident memory, median (most)") { "\(Numerals.bytes($0.memory)) (\(Numerals.bytes($0.mostMemory)))" }
    var findings: [ReproductionReport.Finding] = []
    if let quiet = trials.first(where: { $0.trial == .quiet })?.figures {
      findings.append(
        ReproductionReport.Finding(
          "time per packet", paper: "13.9 s, at most 50 ms wanted", ours: FeedRuns.milliseconds(quiet.median),
          outcome: quiet.median <= 0.05 ? .holds : .fails,
          remark: "The paper's ledger was a public network; the ratio says what a ledger of the session's own is worth."))
      let ratio = quiet.sent / quiet.payload
      findings.append(
        ReproductionReport.Finding(
          "bytes on the feeder's sockets per byte of rows", paper: "at most 1.25 wanted",
          ours: Numerals.trimmed(ratio, places: 3),
          outcome: quiet.sent > 0 && ratio <= 1.25 ? .holds : .fails, remark: "Encryption, framing and handshakes included."))
      findings.append(
        ReproductionReport.Finding(
          "feeder's resident memory, once settled, median", paper: "at most 20 MB wanted",
          ours: quiet.memory > 0 ? Numerals.bytes(quiet.memory) : "too short to settle",
          outcome: quiet.memory == 0 ? .open : quiet.memory <= 20e6 ? .holds : .fails, remark: ""))
      let each = quiet.processor / Double(packets)
      findings.append(
        ReproductionReport.Finding(
          "feeder's processor time per packet", paper: "at most 5 ms wanted", ours: FeedRuns.milliseconds(each),
          outcome: each <= 0.005 ? .holds : .fails, remark: ""))
    }
    for (trial, figures) in trials {
      findings.append(
        ReproductionReport.Finding(
          "every row exactly once, \(trial.title)", paper: "wanted",
          ours: "\(Numerals.count(figures.once)) once, \(figures.twice) twice, \(figures.missing) missing",
          outcome: figures.twice == 0 && figures.missing == 0 ? .holds : .fails, remark: ""))
    }
    return ReproductionReport.Exhibit(
      number: "Table 5", title: "From a thin feeder to verified rows",
      text: [
        """
        Measured at a peer that the feeder does not lean on, so that a packet has gone through a gateway, its ledger and gossip. The feeder \
        follows a file that grows by a packet every 40 ms. Disturbed: three of ten messages between the peers are lost (not on the feeder's \
        stream, which TCP keeps whole; the simulated sessions below lose those too); the gateway is killed (-9) half-way and the feeder ten times.
        """
      ], tables: [table], findings: findings)
  }

  private var learning: ReproductionReport.Exhibit {
    var table = Table(
      "Test accuracy, %, mean over peers and seeds ± the standard deviation over seeds",
      columns: [
        .text(""), .number("from streams"), .number("same rows held"), .number("one central model"), .number("rows read, of"),
      ])
    var findings: [ReproductionReport.Finding] = []
    for name in lessons.map(\.name).unique {
      let group = lessons.filter { $0.name == name }
      guard let streamed = Sampled(group.map(\.streamed)), let held = Sampled(group.map(\.held)) else { continue }
      let central = Sampled(group.compactMap(\.central))
      func words(_ value: Sampled?) -> String { value?.text(places: 2) ?? Numerals.unknown }
      table.rows.append([
        name, words(streamed), words(held), words(central),
        group.map { "\($0.rows) of \($0.all)" }.unique.joined(separator: ", "),
      ])
      let difference = held.mean - streamed.mean
      findings.append(
        ReproductionReport.Finding(
          name, paper: "within 1 point of the same rows held", ours: "\(Numerals.trimmed(difference)) points less",
          outcome: difference <= 1 ? .holds : .fails, remark: ""))
    }
    return ReproductionReport.Exhibit(
      number: "Row 8", title: "Learning from streams alone",
      text: [
        """
        Simulated sessions on digits in which no peer has a row of its own: thin sensors publish all of them while the peers learn. Beside \
        it every peer holds the same rows from the beginning, undisturbed. In the storm three of ten messages are lost, a fifth of the \
        devices is away in every cycle, and half of them crash and come back without their memory.
        """
      ], tables: [table], findings: findings)
  }

  private func tangle(_ figures: LedgerExperiment.Figures) -> ReproductionReport.Exhibit {
    var table = Table("The ledger under virtual time", columns: [.text(""), .number("")])
    table.rows = [
      ["transactions with something to say", Numerals.count(figures.issued)], ["nods", Numerals.count(figures.nods)],
      ["seconds to confirmation, median", Numerals.trimmed(figures.median)],
      ["seconds to confirmation, 95 %", Numerals.trimmed(figures.percentile95)],
      ["messages per peer and transaction", Numerals.trimmed(figures.messagesEach)],
      ["bytes per peer and transaction", Numerals.bytes(figures.bytesEach)],
      ["confirmed transactions lost", Numerals.count(figures.lost)],
      ["seconds from healing to one ledger everywhere", Numerals.trimmed(figures.mergeSeconds)],
      ["trace", figures.trace],
    ]
    return ReproductionReport.Exhibit(
      number: "Row 7", title: "A ledger of many peers",
      text: ["The network falls in two for ten minutes and heals; newcomers synchronise, peers crash and come back."],
      tables: [table],
      findings: [
        ReproductionReport.Finding(
          "confirmed transactions lost in the partition", paper: "none", ours: "\(figures.lost)",
          outcome: figures.lost == 0 ? .holds : .fails, remark: "")
      ])
  }

  /// Everything as JSON.
  var json: JSON {
    .object([
      .init("command", .string(command)), .init("interrupted", .optional(interrupted)),
      .init(
        "trials",
        .array(
          trials.map { trial, figures in
            .object([
              .init("trial", .string(trial.rawValue)), .init("packets", .integer(packets)),
              .init("median", .number(figures.median)),
              .init("percentile95", .number(figures.percentile95)), .init("once", .integer(figures.once)),
              .init("twice", .integer(figures.twice)), .init("missing", .integer(figures.missing)),
              .init("processor", .number(figures.processor)), .init("memory", .number(figures.memory)),
              .init("mostMemory", .number(figures.mostMemory)),
              .init("sent", .number(figures.sent)), .init("payload", .number(figures.payload)),
              .init("seconds", .number(figures.seconds)),
            ])
          })),
      .init(
        "sessions",
        .array(
          lessons.map { lesson in
            .object([
              .init("name", .string(lesson.name)), .init("seed", .integer(Int(lesson.seed))),
              .init("streamed", .number(lesson.streamed)),
              .init("held", .number(lesson.held)), .init("central", .optional(lesson.central)),
              .init("rows", .integer(lesson.rows)),
              .init("all", .integer(lesson.all)), .init("trace", .string(lesson.trace)),
            ])
          })),
      .init(
        "ledger",
        ledger.map { figures in
          .object([
            .init("issued", .integer(figures.issued)), .init("median", .number(figures.median)),
            .init("percentile95", .number(figures.percentile95)), .init("lost", .integer(figures.lost)),
            .init("messagesEach", .number(figures.messagesEach)), .init("bytesEach", .number(figures.bytesEach)),
            .init("mergeSeconds", .number(figures.mergeSeconds)), .init("trace", .string(figures.trace)),
          ])
        } ?? .null),
    ])
  }
}

extension [String] {
  /// Each once, in the order in which they come first.
  fileprivate var unique: [String] { reduce(into: []) { if !$0.contains($1) { $0.append($1) } } }
}

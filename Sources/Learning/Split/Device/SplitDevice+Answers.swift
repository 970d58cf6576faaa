public import MurmurCompute
import MurmurMachines

/// A question in hand: the device's own answer and those of others.
struct Question {
  let query: Query
  var isComputed = false
  var isOver = false
  /// When it ends at the latest, and when the latest answer came.
  var due = Instant.never
  var latest = Instant.origin
  /// Answers, by origin.
  var answers: [(origin: Int, answer: Matrix)] = []

  func answer(of origin: Int) -> Matrix? { answers.first { $0.origin == origin }?.answer }

  mutating func keep(_ answer: Matrix, of origin: Int) {
    answers.insert((origin, answer), at: answers.firstIndex { $0.origin > origin } ?? answers.count)
  }
  /// Gossip: the running average, its round, and the neighbours' averages by round and place.
  var average: Matrix?
  var round = 0
  var averages: [[Matrix?]] = []
  /// Neighbours whose averages came, by place.
  var givers: Set<Int> = []
}

/// Distributed inference: every device answers by itself, and answers meet.
extension SplitDevice {
  /// Questions that are remembered; the oldest is forgotten first.
  private static let mostQuestions = 32

  mutating func ask(_ query: Query, at now: Instant, _ effects: inout Effects<Effect>) {
    guard !questions.contains(where: { $0.query.moment == query.moment }) else { return }
    guard query.rows.allSatisfy({ $0 >= 0 && Int($0) < rows.features.rows }), !query.rows.isEmpty else { return }
    if questions.count == SplitDevice.mostQuestions { questions.removeFirst() }
    var question = Question(query: query)
    if case .gossip(let rounds) = plan.inference.spreading {
      question.averages = Array(repeating: Array(repeating: nil, count: neighbours.count), count: rounds)
    }
    questions.append(question)
    for place in neighbours.indices { send(.question(query), to: place, &effects) }
    if query.origin == id {
      questions[questions.count - 1].due = now + plan.inference.deadline
      effects.append(.arm(.answers(query.moment), at: now + plan.inference.deadline))
    }
    beginQuery(query, at: now, &effects)
  }

  /// This device's own answer is there.
  mutating func computed(_ values: Matrix, _ index: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    let moment = flights[index].moment
    effects.append(.announce(.answered(moment, values)))
    guard let place = questions.firstIndex(where: { $0.query.moment == moment }) else { return }
    questions[place].isComputed = true
    questions[place].latest = now
    switch plan.inference.spreading {
    case .alone:
      questions[place].keep(values, of: id)
    case .flood(let hops):
      questions[place].keep(values, of: id)
      if hops > 0 {
        for neighbour in neighbours.indices {
          send(.answer(moment, origin: id, hops: hops - 1, values), to: neighbour, &effects)
        }
      }
    case .gossip(let rounds):
      questions[place].average = values
      if rounds > 0 { spread(place, &effects) }
      gossip(place, &effects)
    }
    endIfAllAnswered(place, &effects)
    waitForMore(place, at: now, &effects)
  }

  mutating func hearAnswer(
    _ values: Matrix, of origin: Int, _ hops: Int, _ moment: Moment, from sender: Int, at now: Instant,
    _ effects: inout Effects<Effect>
  ) {
    guard origin >= 0, origin < plan.devices, values.columns == plan.answerWidth,
      let place = questions.firstIndex(where: { $0.query.moment == moment }), questions[place].answer(of: origin) == nil,
      values.rows == questions[place].query.rows.count
    else { return }
    questions[place].keep(values, of: origin)
    if questions[place].query.origin == id, questions[place].isComputed, !questions[place].isOver {
      answerPatience.learn(now - questions[place].latest)
      questions[place].latest = now
    }
    if hops > 0 {
      for neighbour in neighbours.indices where neighbour != sender && neighbours[neighbour] != origin {
        send(.answer(moment, origin: origin, hops: hops - 1, values), to: neighbour, &effects)
      }
    }
    endIfAllAnswered(place, &effects)
    waitForMore(place, at: now, &effects)
  }

  /// Where answers come over many links, nobody knows who is still to be heard: a question ends when none came for longer than usual.
  private mutating func waitForMore(_ place: Int, at now: Instant, _ effects: inout Effects<Effect>) {
    guard case .flood(let hops) = plan.inference.spreading, hops > 1, questions[place].query.origin == id,
      questions[place].isComputed, !questions[place].isOver
    else { return }
    let due = now + answerPatience.span(plan.timing)
    guard due < questions[place].due || questions[place].due <= now else { return }
    effects.append(.arm(.answers(questions[place].query.moment), at: due))
  }

  /// The timer of a question fired: it ends, unless answers came lately.
  mutating func endIfDue(_ moment: Moment, at now: Instant, _ effects: inout Effects<Effect>) {
    guard let place = questions.firstIndex(where: { $0.query.moment == moment && !$0.isOver }) else { return }
    let question = questions[place]
    guard now < question.due, question.isComputed else { return endQuestion(moment, &effects) }
    // An earlier arming, which a later answer has put off, may still fire.
    let due = min(question.due, question.latest + answerPatience.span(plan.timing))
    if due <= now { endQuestion(moment, &effects) } else { effects.append(.arm(.answers(moment), at: due)) }
  }

  private mutating func spread(_ place: Int, _ effects: inout Effects<Effect>) {
    guard let average = questions[place].average else { return }
    let (moment, round) = (questions[place].query.moment, questions[place].round)
    for neighbour in neighbours.indices { send(.average(moment, round: round, average), to: neighbour, &effects) }
  }

  mutating func hearAverage(
    _ values: Matrix, _ round: Int, _ moment: Moment, from sender: Int, at now: Instant, _ effects: inout Effects<Effect>
  ) {
    guard values.columns == plan.answerWidth, let place = questions.firstIndex(where: { $0.query.moment == moment }),
      round >= 0, round < questions[place].averages.count, values.rows == questions[place].query.rows.count
    else { return }
    questions[place].averages[round][sender] = values
    questions[place].givers.insert(sender)
    gossip(place, &effects)
  }

  /// Ends as many rounds as all awaited neighbours have sent theirs; weights are those of Metropolis and Hastings on a regular graph.
  private mutating func gossip(_ place: Int, _ effects: inout Effects<Effect>) {
    while let average = questions[place].average, questions[place].round < questions[place].averages.count {
      let round = questions[place].round
      let heard = questions[place].averages[round]
      guard neighbours.indices.allSatisfy({ heard[$0] != nil || !company.isAwaited($0) }) else { return }
      // Whoever is dead in a sample has no part in its average.
      let query = questions[place].query
      let masks = query.drill.isIdle ? nil : drillMasks(query)
      var values = [(answer: average, mask: masks?.isAlive(id) ?? .all)]
      for (neighbour, value) in heard.enumerated() {
        if let value { values.append((value, masks?.isAlive(neighbours[neighbour]) ?? .all)) }
      }
      guard let mean = Answers.mean(values) else { return }
      questions[place].average = mean
      questions[place].round += 1
      if questions[place].round < questions[place].averages.count { spread(place, &effects) }
    }
    endIfAllAnswered(place, &effects)
  }

  private mutating func endIfAllAnswered(_ place: Int, _ effects: inout Effects<Effect>) {
    guard questions[place].query.origin == id, questions[place].isComputed else { return }
    let isWhole =
      switch plan.inference.spreading {
      case .alone: true
      case .flood(let hops): hops == 1 ? hasAllNeighbours(place) : questions[place].answers.count == plan.devices
      case .gossip: questions[place].round == questions[place].averages.count
      }
    if isWhole { endQuestion(questions[place].query.moment, &effects) }
  }

  /// Ends a question of this device that waits for nobody but those who are gone.
  mutating func endWithoutTheGone(_ moment: Moment, _ effects: inout Effects<Effect>) {
    guard let place = questions.firstIndex(where: { $0.query.moment == moment && !$0.isOver }) else { return }
    if case .gossip = plan.inference.spreading { gossip(place, &effects) } else { endIfAllAnswered(place, &effects) }
  }

  private func hasAllNeighbours(_ place: Int) -> Bool {
    neighbours.indices.allSatisfy { !company.isAwaited($0) || questions[place].answer(of: neighbours[$0]) != nil }
  }

  /// The answer to a question of this device, of all answers that came.
  mutating func endQuestion(_ moment: Moment, _ effects: inout Effects<Effect>) {
    guard let place = questions.firstIndex(where: { $0.query.moment == moment && !$0.isOver && $0.query.origin == id })
    else { return }
    questions[place].isOver = true
    if let average = questions[place].average {
      effects.append(.announce(.concluded(moment, average, devices: questions[place].givers.count + 1)))
      return
    }
    let query = questions[place].query
    let masks = query.drill.isIdle ? nil : drillMasks(query)
    let own = questions[place].answers
    let arrived = masks.flatMap { reached(own.map { $0.origin }, $0, rows: query.rows.count) }
    let alive = own.enumerated().map { place, answer in
      (answer: answer.answer, mask: arrived?[place] ?? masks?.isAlive(answer.origin) ?? .all)
    }
    guard let merged = Answers.mean(alive) else { return }
    effects.append(.announce(.concluded(moment, merged, devices: own.count)))
  }

  /// In which samples the answers of `origins` came over devices that live in them; `nil` if no answer goes over another.
  ///
  /// A drill's dead devices are dead in some samples of a batch and pass the batch on all the same; what counts is what would have arrived.
  private func reached(_ origins: [Int], _ masks: DrillMasks, rows: Int) -> [RowMask]? {
    guard case .flood(let hops) = plan.inference.spreading, hops > 1, !masks.isEveryoneAlive else { return nil }
    let alive = (0..<plan.devices).map { masks.isAlive($0) }
    var heard = [[Bool]](repeating: [Bool](repeating: false, count: rows), count: plan.devices)
    for row in 0..<rows where alive[id][row] {
      heard[id][row] = true
      var (frontier, far) = ([id], 0)
      while far < hops, !frontier.isEmpty {
        var next: [Int] = []
        for device in frontier {
          for other in plan.neighbours[device] where !heard[other][row] && alive[other][row] {
            heard[other][row] = true
            next.append(other)
          }
        }
        (frontier, far) = (next, far + 1)
      }
    }
    return origins.map { RowMask(heard[$0]) }
  }

  private func drillMasks(_ query: Query) -> DrillMasks {
    SplitDevice.trialMasks(plan, query)
  }

  /// The faults drawn for a question's samples, as every device works them out.
  public static func trialMasks(_ plan: SplitPlan, _ query: Query) -> DrillMasks {
    let chance = Chance(seed: plan.seed).fork("trial", query.origin).fork("query", query.number)
    return DrillMasks(query.drill, devices: plan.devices, rows: query.rows.count, chance: chance)
  }
}

/// How several devices' answers become one.
public enum Answers {
  /// The mean over the devices that live in each sample, zero where none does; `nil` of none.
  public static func mean(_ list: [(answer: Matrix, mask: RowMask)]) -> Matrix? {
    guard let first = list.first else { return nil }
    let (rows, columns) = (first.answer.rows, first.answer.columns)
    var counts = [Float](repeating: 0, count: rows)
    for answer in list { for row in 0..<rows where answer.mask[row] { counts[row] += 1 } }
    let masked = list.map { $0.mask.isAll ? $0.answer : $0.answer.columns(0..<columns, keeping: $0.mask) }
    guard let sum = Matrix.sum(masked) else { return nil }
    return unsafe Matrix(rows: rows, columns: columns) { floats in
      unsafe sum.withUnsafeFloats { source in
        for row in 0..<rows {
          let share = counts[row] > 0 ? 1 / counts[row] : 0
          for index in row * columns..<(row + 1) * columns { unsafe floats[index] = source[index] * share }
        }
      }
    }
  }

  /// How many of the rows that count name their sample's class.
  public static func correct(_ answers: Matrix, _ labels: [Int32], mask: RowMask = .all) -> Int {
    var right = 0
    unsafe answers.withUnsafeFloats { floats in
      for row in 0..<answers.rows where mask[row] {
        var best = 0
        for column in 1..<max(1, answers.columns)
        where unsafe floats[row * answers.columns + column] > floats[row * answers.columns + best] { best = column }
        right += best == Int(labels[row]) ? 1 : 0
      }
    }
    return right
  }
}

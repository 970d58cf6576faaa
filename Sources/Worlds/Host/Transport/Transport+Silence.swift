import NIOCore

/// What nobody hears of by itself: that the other side has become silent.
extension Transport {
  /// From now on ends streams whose other side is silent for longer than their handlers bear, and closes links whose sockets take nothing,
  /// looking every so often, until the task is cancelled.
  func watchSilence(every period: TimeAmount) -> RepeatedTask {
    group.next().scheduleRepeatedTask(initialDelay: period, delay: period) { [weak self] task in
      guard let self else { return task.cancel() }
      for link in self.links {
        link.execute { link in if link.endsSilence() { link.close("it takes nothing of what is sent to it") } }
      }
    }
  }
}

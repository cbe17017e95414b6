package org.glmtuner.executor;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The {@link PmiServer} of a task on a thread and a socket of its own, exchanging keys through the
 * driver.
 */
final class PmiService implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PmiService.class);
  private static final long FIRST_POLL_MILLIS = 10;
  private static final int MOST_POLLS_PER_SECOND =
      1000; // over all ranks, for the driver's one thread

  private final AttemptPlan plan;
  private final int rank;
  private final int worldSize;
  private final Path socket;
  private final ServerSocketChannel server;
  private final Thread thread;
  private int epoch;

  private PmiService(
      AttemptPlan plan, int rank, RankPlan ranks, Path socket, ServerSocketChannel server) {
    this.plan = plan;
    this.rank = rank;
    this.worldSize = ranks.worldSize();
    this.socket = socket;
    this.server = server;
    PmiServer.Group group =
        new PmiServer.Group(worldSize, "kvs-" + plan.attempt(), ranks.processMapping());
    this.thread = new Thread(() -> serve(new PmiServer(group, this::exchange)), "pmi-" + rank);
  }

  static PmiService start(AttemptPlan plan, int rank, RankPlan ranks, AttemptDirectory directory)
      throws IOException {
    Path socket = directory.sockets().resolve("pmi");
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    PmiService service = new PmiService(plan, rank, ranks, socket, server);
    service.thread.setDaemon(true);
    service.thread.start();
    return service;
  }

  Path socket() {
    return socket;
  }

  @Override
  public void close() throws IOException {
    thread.interrupt(); // closes the connection that it reads
    server.close();
  }

  private void serve(PmiServer pmi) {
    try (SocketChannel connection = server.accept()) {
      PmiServer.End end = pmi.serve(connection);
      LOG.info("PMI of rank {}: {}", rank, end);
    } catch (AsynchronousCloseException | InterruptedException e) {
      LOG.debug("PMI of rank {} closed", rank);
    } catch (IOException | RuntimeException e) {
      LOG.warn("PMI of rank {} ended: {}", rank, e.getMessage());
    }
  }

  /**
   * The driver cannot wait for the last rank, so every rank asks until all have come: less often
   * the more ranks there are.
   */
  private Map<String, String> exchange(Map<String, String> puts)
      throws IOException, InterruptedException {
    TaskMessage.Exchange message =
        new TaskMessage.Exchange(plan.attempt(), rank, worldSize, epoch++, new HashMap<>(puts));
    while (true) {
      Object all = DriverLink.ask(message);
      if (all != null) {
        Map<String, String> result = new HashMap<>();
        ((Map<?, ?>) all).forEach((key, value) -> result.put((String) key, (String) value));
        return result;
      }
      Thread.sleep(Math.max(FIRST_POLL_MILLIS, 1000L * worldSize / MOST_POLLS_PER_SECOND));
    }
  }
}

package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PmiServerTest {
  private static final PmiServer.Group GROUP = new PmiServer.Group(2, "kvs-1", "(vector,(0,1,2))");

  private final Map<String, String> everybody = new HashMap<>();
  private final AtomicInteger aborts = new AtomicInteger();
  private final PmiServer server =
      new PmiServer(
          GROUP,
          puts -> {
            everybody.putAll(puts);
            return everybody;
          });

  @Test
  void greetsAndNamesTheGroup() throws Exception {
    assertThat(server.answer("cmd=init pmi_version=1 pmi_subversion=1"))
        .isEqualTo("cmd=response_to_init pmi_version=1 pmi_subversion=1 rc=0");
    assertThat(server.answer("cmd=get_maxes")).contains("vallen_max=512");
    assertThat(server.answer("cmd=get_my_kvsname")).isEqualTo("cmd=my_kvsname kvsname=kvs-1");
    assertThat(server.answer("cmd=get_universe_size")).isEqualTo("cmd=universe_size size=2");
    assertThat(server.answer("cmd=get kvsname=kvs-1 key=PMI_process_mapping"))
        .isEqualTo("cmd=get_result rc=0 msg=success value=(vector,(0,1,2))");
  }

  @Test
  void keysAreSeenAfterTheBarrierAndStay() throws Exception {
    everybody.put("card-1", "theirs");
    assertThat(server.answer("cmd=put kvsname=kvs-1 key=card-0 value=segments=3"))
        .contains("put_result rc=0");
    assertThat(server.answer("cmd=get kvsname=kvs-1 key=card-1")).contains("rc=-1");
    assertThat(server.answer("cmd=barrier_in")).isEqualTo("cmd=barrier_out rc=0");
    assertThat(server.answer("cmd=get kvsname=kvs-1 key=card-1")).endsWith("value=theirs");
    assertThat(server.answer("cmd=get kvsname=kvs-1 key=card-0")).endsWith("value=segments=3");
    everybody.clear(); // the next exchange brings only what is new
    assertThat(server.answer("cmd=barrier_in")).isEqualTo("cmd=barrier_out rc=0");
    assertThat(server.answer("cmd=get kvsname=kvs-1 key=card-1")).endsWith("value=theirs");
  }

  @Test
  void unknownCommandsAndNonsenseAreRefusedPolitely() throws Exception {
    assertThat(server.answer("mcmd=spawn")).isEqualTo("cmd=spawn_result rc=1 msg=unsupported");
    assertThat(server.answer("")).isEqualTo("cmd=_result rc=1 msg=unsupported");
    assertThat(server.answer("cmd=get kvsname=kvs-1")).contains("rc=-1");
  }

  @Test
  void tellsHowTheConversationEnded(@TempDir Path directory) throws Exception {
    assertThat(conversation(directory.resolve("a"), "cmd=finalize\n"))
        .isEqualTo(PmiServer.End.FINALIZED);
    assertThat(conversation(directory.resolve("b"), "cmd=get_ma")).isEqualTo(PmiServer.End.LOST);
    assertThat(aborts).hasValue(0);
  }

  @Test
  void anAbortEndsTheConversationThoughTheRankWaits(@TempDir Path directory) throws Exception {
    try (ServerSocketChannel listener = listener(directory.resolve("a"))) {
      CompletableFuture<PmiServer.End> end = serve(listener);
      try (SocketChannel rank = SocketChannel.open(listener.getLocalAddress())) {
        say(rank, "cmd=abort exitcode=7\n");
        assertThat(rank.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
      assertThat(end.get(10, TimeUnit.SECONDS)).isEqualTo(PmiServer.End.ABORTED);
      assertThat(aborts).hasValue(1);
    }
  }

  private PmiServer.End conversation(Path socket, String said) throws Exception {
    try (ServerSocketChannel listener = listener(socket)) {
      CompletableFuture<PmiServer.End> end = serve(listener);
      try (SocketChannel rank = SocketChannel.open(listener.getLocalAddress())) {
        say(rank, said);
      }
      return end.get(10, TimeUnit.SECONDS);
    }
  }

  private static ServerSocketChannel listener(Path socket) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    return listener;
  }

  private CompletableFuture<PmiServer.End> serve(ServerSocketChannel listener) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new PmiServer(GROUP, puts -> puts)
                .serve(listener.accept(), aborts::incrementAndGet);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static void say(SocketChannel rank, String text) throws IOException {
    rank.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }
}

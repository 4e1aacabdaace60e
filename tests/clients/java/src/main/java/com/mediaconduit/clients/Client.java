package com.mediaconduit.clients;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Context;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import com.mediaconduit.v1.Completed;
import com.mediaconduit.v1.MediaProviderGrpc;
import com.mediaconduit.v1.MediaProviderGrpc.MediaProviderBlockingStub;
import com.mediaconduit.v1.Part;
import com.mediaconduit.v1.Role;
import com.mediaconduit.v1.TextOptions;
import com.mediaconduit.v1.TransformEvent;
import com.mediaconduit.v1.TransformOptions;
import com.mediaconduit.v1.TransformRequest;
import com.mediaconduit.v1.TransformResponse;
import com.mediaconduit.v1.Turn;

/**
 * Calls a MediaConduit server: streams an answer, cancels another one, and reads a typed error.
 *
 * <pre>java -jar target/client.jar localhost:50051 cowsay/default "hello"</pre>
 */
public final class Client {
  private final MediaProviderBlockingStub stub;

  private Client(ManagedChannel channel) {
    stub = MediaProviderGrpc.newBlockingStub(channel);
  }

  public static void main(String[] args) throws InterruptedException, InvalidProtocolBufferException {
    if (args.length != 3) {
      System.err.println("usage: client TARGET MODEL TEXT");
      System.exit(2);
    }
    ManagedChannel channel = Grpc.newChannelBuilder(args[0], InsecureChannelCredentials.create()).build();
    int exitCode = 0;
    try {
      Client client = new Client(channel);
      client.printAnswer(args[1], args[2]);
      client.cancelAnswer(args[1], args[2]);
      client.provokeError(args[1] + "-unknown", args[2]);
    } catch (StatusRuntimeException | IllegalStateException error) {
      System.err.println("failed: " + error.getMessage());
      exitCode = 1;
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    System.exit(exitCode);
  }

  /** The input of every call here: one turn of one text. */
  private static TransformRequest.Builder ask(String model, String text) {
    Part part = Part.newBuilder().setText(text).build();
    Turn turn = Turn.newBuilder().setRole(Role.ROLE_USER).addParts(part).build();
    return TransformRequest.newBuilder().setModel(model).addTurns(turn);
  }

  /** Starts a call. A deadline travels with it, down to the model. */
  private Iterator<TransformResponse> transform(TransformRequest.Builder request) {
    return stub.withDeadlineAfter(1, TimeUnit.MINUTES).transform(request.build());
  }

  /** Prints the text as it comes. A response holds one or more events; the last one of a success is Completed. */
  private void printAnswer(String model, String text) {
    TransformOptions options = TransformOptions.newBuilder()
        .setText(TextOptions.newBuilder().setMaxOutputTokens(64))
        .setLenient(true) // a model without this option answers all the same
        .build();
    Iterator<TransformResponse> call = transform(ask(model, text).setOptions(options));
    Completed completed = Completed.getDefaultInstance();
    int count = 0;
    while (call.hasNext()) {
      for (TransformEvent event : call.next().getEventsList()) {
        count++;
        switch (event.getEventCase()) {
          case OUTPUT_DELTA -> System.out.print(event.getOutputDelta().getText());
          // An output that was not streamed.
          case OUTPUT_COMPLETED -> System.out.print(event.getOutputCompleted().getPart().getText());
          case COMPLETED -> completed = event.getCompleted();
          default -> { }
        }
      }
    }
    if (completed.getFinishesCount() == 0) {
      throw new IllegalStateException("the answer has no end");
    }
    System.out.printf("%ncompleted: %s %d events%n", completed.getFinishes(0).getReason(), count);
  }

  /** Cancels the call, and with it the model's work, once the output has begun. */
  private void cancelAnswer(String model, String text) {
    // Whatever is called within a context ends with it.
    Context.CancellableContext context = Context.current().withCancellation();
    Context outside = context.attach();
    try {
      Iterator<TransformResponse> call = transform(ask(model, text));
      int count = 0;
      boolean begun = false;
      while (!begun) {
        TransformResponse response = call.next();
        count += response.getEventsCount();
        begun = response.getEventsList().stream().anyMatch(TransformEvent::hasOutputDelta);
      }
      context.cancel(null);
      expectCancelled(call);
      System.out.printf("cancelled after %d events%n", count);
    } finally {
      context.detach(outside);
      context.cancel(null);
    }
  }

  private static void expectCancelled(Iterator<TransformResponse> call) {
    try {
      while (call.hasNext()) {
        call.next(); // what was under way already
      }
    } catch (StatusRuntimeException error) {
      if (error.getStatus().getCode() == Status.Code.CANCELLED) {
        return;
      }
      throw error;
    }
    throw new IllegalStateException("expected CANCELLED, but the answer ended by itself");
  }

  /** Asks for a model that is not there. */
  private void provokeError(String model, String text) throws InvalidProtocolBufferException {
    try {
      transform(ask(model, text)).hasNext();
    } catch (StatusRuntimeException error) {
      if (!reason(error).equals("MODEL_NOT_FOUND")) {
        throw error;
      }
      System.out.println("error: " + reason(error));
      return;
    }
    throw new IllegalStateException("expected MODEL_NOT_FOUND, but there was an answer");
  }

  /** Why a call failed: the name of an ErrorReason, or "" when the error is not MediaConduit's. */
  private static String reason(StatusRuntimeException error) throws InvalidProtocolBufferException {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        ErrorInfo info = detail.unpack(ErrorInfo.class);
        if (info.getDomain().equals("mediaconduit")) {
          return info.getReason();
        }
      }
    }
    return "";
  }
}

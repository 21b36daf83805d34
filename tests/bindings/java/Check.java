import static hone.Hone.*;
import static hone.HoneConstants.*;

import hone.Config;
import hone.Dataset;
import hone.HoneException;
import hone.Job;
import hone.Model;
import hone.Progress;
import hone.Runtime;
import hone.Trainer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/** Encodes and fine-tunes through hone and checks what comes back. Arguments: MODEL TRAIN DEV WORK, an empty folder. */
public final class Check {
  private static final int STEPS = 6;
  private static final int BATCH = 8;
  private static final String TEXT = "A man plays the guitar.";

  /** How a job ended: a copy of its last progress. */
  private record End(int state, long done, long total, long examples, double loss, double rate, double metric) {
    End(Progress p) {
      this(p.getState(), p.getSteps_done(), p.getSteps_total(), p.getExamples_done(), p.getLoss(),
          p.getLearning_rate(), p.getMetric());
    }
  }

  private static void expect(boolean holds, String what, Object... found) {
    if (!holds) throw new AssertionError(what + ": " + java.util.Arrays.toString(found));
  }

  private static HoneException expectError(int code, String inMessage, Runnable call) {
    try {
      call.run();
    } catch (HoneException e) {
      expect(e.code() == code, "code", e.code(), e.getMessage());
      expect(e.getMessage().contains(inMessage) && !e.getMessage().contains("\n"), "message", e.getMessage());
      return e;
    }
    throw new AssertionError("a call that must fail: " + inMessage);
  }

  private static Config options(int steps) {
    Config options = hone_config_create();
    hone_config_set_int(options, "runtime.threads", 2);
    hone_config_set_int(options, "train.steps", steps);
    hone_config_set_int(options, "train.batch_size", BATCH);
    hone_config_set_real(options, "train.lr", 2e-5);
    hone_config_set_str(options, "train.schedule", "constant");
    return options;
  }

  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  private static float[] encode(Model model, String... texts) {
    FloatBuffer out = floats(texts.length * hone_model_dim(model));
    hone_model_encode(model, texts, null, out);
    float[] vectors = new float[out.capacity()];
    out.get(vectors);
    return vectors;
  }

  private static void checkErrors(Runtime runtime, Model model) {
    try (Config config = hone_config_create()) {
      expectError(HONE_EINVAL, "train.batch_size", () -> hone_config_set_int(config, "train.batch_sice", 1));
    }
    // U+1D11E: one letter of four bytes in UTF-8, of six in JNI's own strings.
    expectError(HONE_EFAILED, "no/such/\uD834\uDD1E", () -> hone_model_load(runtime, "no/such/\uD834\uDD1E"));
    expectError(HONE_EINVAL, "", () -> hone_model_encode(model, new String[] {TEXT}, null, floats(1)));
    Model closed = hone_model_load(runtime, System.getProperty("hone.check.model"));
    closed.close();
    closed.close();
    expectError(HONE_EINVAL, "", () -> hone_model_encode(closed, new String[] {TEXT}, null, floats(4096)));
    try {
      hone_model_encode(model, new String[] {TEXT}, null, FloatBuffer.allocate(4096));
      throw new AssertionError("a buffer that is not direct must be refused");
    } catch (IllegalArgumentException refused) {
      expect(refused.getMessage().contains("direct"), "message", refused.getMessage());
    }
  }

  private static void checkEncoding(Model model) {
    int dim = hone_model_dim(model);
    expect(dim > 0, "dim", dim);
    float[] vectors = encode(model, TEXT, "", "Someone makes music.", "\u65E5\u672C\u8A9E \uD834\uDD1E");
    expect(vectors.length == 4 * dim, "floats", vectors.length);
    for (int row = 0; row < 4; ++row) {
      double squares = 0;
      for (int i = 0; i < dim; ++i) squares += (double) vectors[row * dim + i] * vectors[row * dim + i];
      expect(Math.abs(Math.sqrt(squares) - 1) < 1e-5, "length", row, Math.sqrt(squares));
    }
    // A large call: more texts than the JVM keeps local references for.
    String[] many = new String[2000];
    java.util.Arrays.fill(many, "short");
    float[] all = encode(model, many);
    float[] one = encode(model, "short");
    expect(java.util.Arrays.equals(all, all.length - dim, all.length, one, 0, dim), "the last of many");
    expect(encode(model).length == 0, "no texts");
  }

  /** Follows a job on a daemon thread of its own and completes with its end. The job stays open until then. */
  private static CompletableFuture<End> follow(Job job, Consumer<Progress> onProgress) {
    CompletableFuture<End> end = new CompletableFuture<>();
    Thread thread = new Thread(() -> {
      try (Progress progress = new Progress()) {
        do {
          if (hone_job_next_event(job, 100, progress) == HONE_OK) onProgress.accept(progress);
        } while (progress.getState() != HONE_JOB_FINISHED && progress.getState() != HONE_JOB_FAILED
            && progress.getState() != HONE_JOB_CANCELLED);
        end.complete(new End(progress));
      } catch (Throwable failure) {
        end.completeExceptionally(failure);
      }
    }, "hone-job");
    thread.setDaemon(true);
    thread.start();
    return end;
  }

  private static void checkTraining(Runtime runtime, Model model, String train, String dev, String out) {
    float[] before = encode(model, TEXT);
    Model tuned;
    try (Config options = options(STEPS);
        Dataset data = hone_dataset_read(runtime, train, null);
        Dataset evaluation = hone_dataset_read(runtime, dev, null);
        Trainer trainer = hone_trainer_create(model, data, evaluation, options);
        Job job = hone_trainer_start(trainer)) {
      expect(hone_dataset_size(data) > 0, "rows");
      AtomicInteger events = new AtomicInteger();
      End end = follow(job, progress -> events.incrementAndGet()).join();
      expect(events.get() > 0, "events", events);
      expect(end.state() == HONE_JOB_FINISHED && end.done() == STEPS && end.total() == STEPS, "end", end);
      expect(end.examples() == STEPS * BATCH, "examples", end);
      expect(Double.isFinite(end.loss()) && end.loss() > 0, "loss", end);
      expect(Double.isFinite(end.metric()) && end.rate() == 2e-5, "metric, rate", end);
      expect(hone_job_wait(job, -1) == HONE_OK && hone_job_poll(job) == HONE_JOB_FINISHED, "state");
      String report = hone_job_report(job);
      expect(report.contains("\"before\"") && report.contains("\"spearman_cosine\""), "report", report);
      tuned = hone_job_result(job);
    }
    try (tuned) {
      float[] after = encode(tuned, TEXT);
      expect(!java.util.Arrays.equals(before, after), "training changed nothing");
      expect(java.util.Arrays.equals(before, encode(model, TEXT)), "the model that training began with has changed");
      hone_model_save(tuned, out, null);
      try (Model again = hone_model_load(runtime, out)) {
        expect(java.util.Arrays.equals(after, encode(again, TEXT)), "saved and loaded, the vectors differ");
      }
      expectError(HONE_EFAILED, out, () -> hone_model_save(tuned, out, null));
    }
  }

  private static void checkCancelling(Runtime runtime, Model model, String train) {
    try (Config options = options(1_000_000);
        Dataset data = hone_dataset_read(runtime, train, null);
        Trainer trainer = hone_trainer_create(model, data, null, options);
        Job job = hone_trainer_start(trainer)) {
      expect(hone_job_wait(job, 0) == HONE_ETIMEDOUT, "a wait that is over");
      End end = follow(job, progress -> hone_job_cancel(job)).join();
      expect(end.state() == HONE_JOB_CANCELLED && end.done() < 1_000_000, "cancelled", end);
      expectError(HONE_ECANCELLED, "", () -> hone_job_result(job));
    }
  }

  public static void main(String[] arguments) {
    if (arguments.length != 4) throw new IllegalArgumentException("arguments: MODEL TRAIN DEV WORK");
    System.setProperty("hone.check.model", arguments[0]);
    try (Config options = options(1);
        Runtime runtime = hone_runtime_create(options);
        Model model = hone_model_load(runtime, arguments[0])) {
      expect(hone_model_info(model).contains("\"dim\""), "info");
      checkErrors(runtime, model);
      checkEncoding(model);
      checkTraining(runtime, model, arguments[1], arguments[2], arguments[3] + "/tuned");
      checkCancelling(runtime, model, arguments[1]);
    }
    System.out.println("hone " + hone_version() + " from Java: all checks passed");
  }
}

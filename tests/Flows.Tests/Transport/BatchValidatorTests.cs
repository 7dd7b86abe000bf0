using System.Buffers.Binary;
using Apache.Arrow;
using Flows.Core;
using Flows.Core.Facts;
using Flows.Transport;
using Flows.Transport.Intake;
using Xunit;
using ZstdSharp;

namespace Flows.Tests.Transport;

public sealed class BatchValidatorTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(4096)]
    public void A_valid_batch_comes_back_equal(int rows)
    {
        using var batch = FlowBatches.Of(rows);
        var expected = FlowBatches.Text(batch);
        Assert.Equal(expected, FlowBatches.Text(Read(FlowIpc.Write(batch)).Batch!));
        Assert.Equal(expected, FlowBatches.Text(Read(FlowBatches.Uncompressed(batch)).Batch!));
    }

    [Fact]
    public void Rows_of_another_node_or_scope_are_refused()
    {
        Assert.Equal(BatchValidator.NodeMismatch, Problem((ref FlowRow row) => row.NodeId++));
        Assert.Equal(BatchValidator.ScopeMismatch, Problem((ref FlowRow row) => row.ScopeId++));
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        Assert.Contains("before it starts", Problem((ref FlowRow row) => row.WindowEndUs = row.WindowStartUs - 1), StringComparison.Ordinal);
        Assert.Contains("conn_start", Problem((ref FlowRow row) => row.ConnStartUs = 0), StringComparison.Ordinal);
        Assert.Contains("window_end", Problem((ref FlowRow row) => row.WindowEndUs = long.MaxValue), StringComparison.Ordinal);
        Assert.Contains("state", Problem((ref FlowRow row) => row.State = (FlowState)7), StringComparison.Ordinal);
        Assert.Contains("end_reason", Problem((ref FlowRow row) => row.EndReason = 0), StringComparison.Ordinal);
        Assert.Contains("direction_by", Problem((ref FlowRow row) => row.DirectionBy = (DirectionBy)8), StringComparison.Ordinal);
        Assert.Contains("source", Problem((ref FlowRow row) => row.Source = 0), StringComparison.Ordinal);
        Assert.Contains("sampling", Problem((ref FlowRow row) => row.Sampling = 0), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_schema_is_refused()
    {
        using var batch = FlowBatches.Of(3);
        var fields = batch.Schema.FieldsList;
        Schema[] others =
        [
            new([.. fields.Skip(1), fields[0]], null),
            new(fields.Select(field => new Field(field.Name, field.DataType, !field.IsNullable)), null),
            new(fields.Select(field => new Field(field.Name + "x", field.DataType, field.IsNullable)), null),
            new([.. fields.Take(3), .. fields.Skip(4)], null),
        ];
        foreach (var schema in others)
        {
            var arrays = schema.FieldsList.Select(field => batch.Arrays.ElementAt(Math.Max(0, batch.Schema.GetFieldIndex(field.Name.TrimEnd('x')))));
            Assert.Contains("schema", Read(FlowBatches.Uncompressed(new RecordBatch(schema, arrays, batch.Length))).Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_batches_or_trailing_bytes_are_refused()
    {
        using var batch = FlowBatches.Of(3);
        var stream = FlowIpc.Write(batch);
        Assert.Null(Read([.. stream, 0]).Batch);
        Assert.Null(Read([.. stream, .. stream]).Batch);
        Assert.NotNull(Read(stream[..^8]).Batch);
    }

    [Fact]
    public void A_frame_that_unpacks_to_more_than_it_declares_is_refused_without_the_memory()
    {
        using var compressor = new Compressor(1);
        var bomb = compressor.Wrap(new byte[64 << 20]).ToArray();
        byte[] body = [.. BitConverter.GetBytes(64L), .. bomb];
        byte[] descriptor = [.. BitConverter.GetBytes(0L), .. BitConverter.GetBytes((long)body.Length)];
        using var decompressor = new Decompressor();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var buffers = new BodyBuffers(descriptor, body, decompressor);
        Assert.False(buffers.TryTake(64, mayBeAbsent: false, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Mutated_batches_are_refused_or_whole_and_never_throw()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var small = FlowBatches.Of(5);
        using var larger = FlowBatches.Of(40);
        byte[][] originals = [FlowIpc.Write(small), FlowBatches.Uncompressed(small), FlowIpc.Write(larger), FlowBatches.Uncompressed(larger)];
        var accepted = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = Mutate(originals[i % originals.Length], random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var (batch, problem) = Read(bytes);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 64 << 20, $"seed {seed}, input {i} took too much memory");
            Assert.Equal(batch is null, problem.Length > 0);
            if (batch is not null)
            {
                accepted++;
                Assert.NotEmpty(FlowBatches.Text(batch));
            }
        }

        // Flips in counters and addresses make other valid batches; everything accepted would mean that nothing was mutated.
        Assert.InRange(accepted, 1, 80_000);
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(7);
        for (var i = 0; i < 10_000; i++)
        {
            var bytes = new byte[random.Next(0, 300)];
            random.NextBytes(bytes);
            Assert.Null(Read(bytes).Batch);
        }
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        var bytes = original.ToArray();
        switch (random.Next(4))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                long[] lies = [-1, 0, 1, 8, int.MaxValue, int.MinValue, long.MaxValue, long.MinValue, 1 << 20, random.NextInt64()];
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(random.Next((bytes.Length / 8) - 1) * 8), lies[random.Next(lies.Length)]);
                return bytes;
            case 2:
                bytes.AsSpan(random.Next(bytes.Length / 2), random.Next(1, 64)).CopyTo(bytes.AsSpan(random.Next(bytes.Length - 64)));
                return bytes;
            default:
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                {
                    bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                }

                return bytes;
        }
    }

    private static string Problem(FlowBatches.Change change)
    {
        using var batch = FlowBatches.Of(3, change: change);
        var (read, problem) = Read(FlowIpc.Write(batch));
        Assert.Null(read);
        return problem;
    }

    private static (RecordBatch? Batch, string Problem) Read(byte[] stream)
    {
        var batch = BatchValidator.Read(stream, FlowBatches.NodeId, FlowBatches.ScopeId, anyTime: false, out var problem);
        return (batch, problem);
    }
}

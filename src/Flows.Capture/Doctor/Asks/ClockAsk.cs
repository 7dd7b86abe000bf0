using System.Buffers.Binary;

namespace Flows.Capture.Doctor.Asks;

/// <summary>What the kernel knows of its clock.</summary>
/// <param name="Synchronised">Somebody (NTP, PTP) disciplines it.</param>
/// <param name="OffsetUs">The remaining correction.</param>
/// <param name="ErrorMaxUs">How wrong it may be at most.</param>
internal sealed record ClockState(bool Synchronised, long OffsetUs, long ErrorMaxUs);

/// <summary>adjtimex(2) without any change.</summary>
internal static unsafe class ClockAsk
{
    // struct timex on 64 bits: modes at 0, offset at 8, maxerror at 24, status at 40; 208 bytes in all.
    private const int TimexBytes = 256;
    private const int OffsetAt = 8;
    private const int ErrorMaxAt = 24;
    private const int StatusAt = 40;
    private const int Unsynchronised = 0x40;
    private const int Nanoseconds = 0x2000;
    private const int ClockError = 5;

    public static ClockState? Read()
    {
        var timex = stackalloc byte[TimexBytes];
        new Span<byte>(timex, TimexBytes).Clear();
        var state = DoctorNative.AdjustTime(timex);
        if (state < 0)
        {
            return null;
        }

        var bytes = new ReadOnlySpan<byte>(timex, TimexBytes);
        var status = BinaryPrimitives.ReadInt32LittleEndian(bytes[StatusAt..]);
        var offset = BinaryPrimitives.ReadInt64LittleEndian(bytes[OffsetAt..]);
        return new ClockState(
            state != ClockError && (status & Unsynchronised) == 0,
            (status & Nanoseconds) != 0 ? offset / 1000 : offset,
            BinaryPrimitives.ReadInt64LittleEndian(bytes[ErrorMaxAt..]));
    }
}

using System.Globalization;
using System.Text;
using Flows.Core.Map;

namespace Flows.Core.Policy;

/// <summary>Which recurring times an observation has covered. Hours are UTC.</summary>
public static class Periods
{
    public const string Weekend = "weekend";

    // Of a period so much has to have been watched: single hours are not it.
    private const int HoursLeast = 12;

    private static readonly (string Name, Func<DateTime, bool> Holds)[] All =
    [
        ("weekdays", hour => !IsWeekend(hour) && hour.Hour is >= 6 and < 20),
        ("weekday nights", hour => !IsWeekend(hour) && hour.Hour is < 6 or >= 20),
        (Weekend, IsWeekend),
        ("month end", hour => hour.Day == DateTime.DaysInMonth(hour.Year, hour.Month)),
        ("month start", hour => hour.Day == 1),
    ];

    private static readonly string[] Days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    private static readonly string[] TwoDigits = [.. Enumerable.Range(0, 24).Select(hour => hour.ToString("00", CultureInfo.InvariantCulture))];

    /// <summary>The periods of which less than twelve hours were watched, in a fixed order.</summary>
    /// <param name="watched">Hours in which anything was observed.</param>
    public static IReadOnlyList<string> NotSeen(HourSet watched)
    {
        var hours = watched.Hours.Select(TimeOf).ToList();
        return [.. All.Where(period => hours.Where(period.Holds).Take(HoursLeast).Count() < HoursLeast).Select(period => period.Name)];
    }

    /// <summary>The hours of the week that hold any of these, such as <c>Mon 08-10, Tue 08</c>; <c>always</c> for all 168.</summary>
    public static string OfWeek(HourSet hours)
    {
        // Monday first; the epoch began on a Thursday.
        Span<bool> seen = stackalloc bool[7 * 24];
        foreach (var hour in hours.Hours)
        {
            seen[(hour + (3 * 24)) % seen.Length] = true;
        }

        if (!seen.Contains(false))
        {
            return "always";
        }

        var spans = new StringBuilder();
        for (var day = 0; day < 7; day++)
        {
            for (var hour = 0; hour < 24; hour++)
            {
                var from = hour;
                while (hour < 24 && seen[(day * 24) + hour])
                {
                    hour++;
                }

                if (hour > from)
                {
                    spans.Append(spans.Length == 0 ? "" : ", ").Append(Days[day]).Append(' ').Append(TwoDigits[from]);
                    if (hour - from > 1)
                    {
                        spans.Append('-').Append(TwoDigits[hour - 1]);
                    }
                }
            }
        }

        return spans.ToString();
    }

    private static DateTime TimeOf(int hour) => DateTime.UnixEpoch.AddHours(hour);

    private static bool IsWeekend(DateTime hour) => hour.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday;
}

package pinyin

import "testing"

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		text, word string
		want       bool
	}{
		{"腾讯视频月卡", "tengxun", true}, {"腾讯视频月卡", "TengXun", true}, {"腾讯视频月卡", "tengxu", true}, {"腾讯视频月卡", "txsp", true}, {"腾讯视频月卡", "shipin", true}, {"腾讯视频月卡", "tengxsp", true},
		{"腾讯视频月卡", "yk", true}, {"QQ音乐", "qqyinyue", true}, {"网易云 音乐", "wyyyy", true}, {"音乐", "yinyue", true}, {"音乐", "yinle", true}, {"爱奇艺", "aqy", true}, {"绿洲", "lvzhou", true},
		{"腾讯\n视频", "txsp", false}, {"88会员", "88huiyuan", true},
		{"腾讯视频月卡", "youku", false}, {"腾讯视频月卡", "xunteng", false}, {"腾讯视频月卡", "t", false}, {"腾讯视频月卡", "", false}, {"腾讯视频月卡", "腾讯", false}, {"腾讯视频月卡", "tengxunshipinyuekaa", false}, {"", "ab", false},
		{"啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊啊", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", false},
	} {
		if got := Matches(c.text, c.word); got != c.want {
			t.Errorf("%q said as %q: %v", c.text, c.word, got)
		}
	}
}

extension SunSpecText {
  /// Curves and schedules of inverters: models 126 to 144.
  static let curves = #"""
    @126:volt-var 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    V_SF sf
    DeptRef_SF sf
    RmpIncDec_SF sf
    >curve
    ActPt u16 !
    DeptRef e16 ! {1:wmax,2:varmax,3:varaval}
    ~20 V# u16 % *V_SF ! ; VAr# s16 *DeptRef_SF !
    CrvNam str8 !
    RmpTms u16 s !
    RmpDecTmm u16 %/min *RmpIncDec_SF !
    RmpIncTmm u16 %/min *RmpIncDec_SF !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @127:freq-watt-param 1m
    WGra u16 %/Hz *WGra_SF !
    HzStr s16 Hz *HzStrStop_SF !
    HzStop s16 Hz *HzStrStop_SF !
    HysEna b16 ! {0:enabled}
    ModEna b16 ! {0:enabled}
    HzStopWGra u16 %/min *RmpIncDec_SF !
    WGra_SF sf
    HzStrStop_SF sf
    RmpIncDec_SF sf
    Pad pad
    @128:reactive-current 1m
    ArGraMod e16 ! {0:edge,1:center}
    ArGraSag u16 % *ArGra_SF !
    ArGraSwell u16 % *ArGra_SF !
    ModEna b16 ! {0:enabled}
    FilTms u16 s !
    DbVMin u16 % *VRefPct_SF !
    DbVMax u16 % *VRefPct_SF !
    BlkZnV u16 % *VRefPct_SF !
    HysBlkZnV u16 % *VRefPct_SF !
    BlkZnTmms u16 ms !
    HoldTmms u16 ms !
    ArGra_SF sf
    VRefPct_SF sf
    Pad pad
    @129:lvrt 130:hvrt 137:lvrtc 138:hvrtc 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    Tms_SF sf
    V_SF sf
    Pad pad
    >curve
    ActPt u16 !
    ~20 Tms# u16 s *Tms_SF ! ; V# u16 % *V_SF !
    CrvNam str8 !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @131:watt-pf 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    W_SF sf
    PF_SF sf
    RmpIncDec_SF sf
    >curve
    ActPt u16 !
    ~20 W# s16 % *W_SF ! ; PF# s16 *PF_SF !
    CrvNam str8 !
    RmpPT1Tms u16 s !
    RmpDecTmm u16 %/min *RmpIncDec_SF !
    RmpIncTmm u16 %/min *RmpIncDec_SF !
    ReadOnly e16 {0:readwrite,1:readonly}
    Pad pad
    <
    @132:volt-watt 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    V_SF sf
    DeptRef_SF sf
    RmpIncDec_SF sf
    >curve
    ActPt u16 !
    DeptRef e16 ! {1:wmax,2:waval}
    ~20 V# u16 % *V_SF ! ; W# s16 % *DeptRef_SF !
    CrvNam str8 !
    RmpPt1Tms u16 s !
    RmpDecTmm u16 %/min *RmpIncDec_SF !
    RmpIncTmm u16 %/min *RmpIncDec_SF !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @133:schedule 10m
    ActSchd b32 ! {0:sched1,1:sched2,2:sched3,3:sched4,4:sched5,5:sched6,6:sched7,7:sched8,8:sched9,9:sched10,10:sched12,11:sched13,12:sched14,13:sched15,14:sched16,15:sched17,16:sched18,17:sched19,18:sched20,19:sched21,21:sched22,22:sched23,23:sched24,24:sched25,25:sched26,26:sched27,27:sched28,28:sched29,29:sched30,30:sched31,31:sched32}
    ModEna b16 ! {0:enabled}
    NSchd u16
    NPts u16
    Pad pad
    >entry
    ActPts u16 !
    StrTms u32 s !
    RepPer u16 !
    IntvTyp e16 ! {0:onetime,1:daily,2:weekly,3:monthly,4:weekday,5:holiday,6:weekend,7:yearly}
    XTyp e16 ! {0:unset,1:time,2:temp,3:price,99:other}
    X_SF sf !
    YTyp e16 ! {0:unset,1:wmax,2:rsrvd2,3:pf,4:rsrvd4,5:watt-price,6:var-price,7:rsrvd7,8:volt-var-array,9:wchagra,10:wdischagra,11:varaval,12:schedule,99:other}
    Y_SF sf !
    ~10 X# s32 *X_SF ! ; Y# s32 *Y_SF !
    Nam str8 !
    WinTms u16 s !
    RmpTms u16 s !
    ActIndx u16
    <
    @134:freq-watt 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    Hz_SF sf
    W_SF sf
    RmpIncDec_SF sf
    >curve
    ActPt u16 !
    ~20 Hz# u16 Hz *Hz_SF ! ; W# s16 % *W_SF !
    CrvNam str8 !
    RmpPT1Tms u16 s !
    RmpDecTmm u16 %/min *RmpIncDec_SF !
    RmpIncTmm u16 %/min *RmpIncDec_SF !
    RmpRsUp u16 %/min *RmpIncDec_SF !
    SnptW b16 !
    WRef u16 W *W_SF !
    WRefStrHz u16 Hz *Hz_SF !
    WRefStopHz u16 Hz *Hz_SF !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @135:lfrt 136:hfrt 141:lfrtc 142:hfrtc 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    Tms_SF sf
    Hz_SF sf
    Pad pad
    >curve
    ActPt u16 !
    ~20 Tms# u16 s *Tms_SF ! ; Hz# u16 Hz *Hz_SF !
    CrvNam str8 !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @139:lvrtx 140:hvrtx 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    Tms_SF sf
    V_SF sf
    CrvType e16 {1:cease-to-energize}
    >curve
    ActPt u16 !
    ~20 Tms# u16 s *Tms_SF ! ; V# u16 % *V_SF !
    CrvNam str8 !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    @143:lfrtx 144:hfrtx 10m
    ActCrv u16 !
    ModEna b16 ! {0:enabled}
    WinTms u16 s !
    RvrtTms u16 s !
    RmpTms u16 s !
    NCrv u16
    NPt u16
    Tms_SF sf
    Hz_SF sf
    CrvType e16 {1:cease-to-energize}
    >curve
    ActPt u16 !
    ~20 Tms# u16 s *Tms_SF ! ; Hz# u16 Hz *Hz_SF !
    CrvNam str8 !
    ReadOnly e16 {0:readwrite,1:readonly}
    <
    """#
}
